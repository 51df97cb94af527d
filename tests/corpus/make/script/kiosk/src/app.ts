import { Hall } from "./hall";
interface Plan { rows: number }
enum Side { North, South }

async function main(): Promise<void> {
  const hall = new Hall({ rows: 4 } as Plan);
  await hall.open(Side.North);
}

main();
