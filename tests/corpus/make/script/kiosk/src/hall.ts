type Gate = { side: number; guard?: { name: string } };

export class Hall {
  private readonly gates: Gate[] = [{ side: 0 }];

  constructor(private plan: { rows: number }) {}

  async open(side: number): Promise<string> {
    const gate = this.gates.find((g) => g.side === side);
    return this.guardName(gate as Gate);
  }

  private guardName(gate: Gate): string {
    return gate.guard!.name;  // «hallguardName14»
  }
}
