import "reflect-metadata";
import { Module, Injectable, Controller } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

export class Clock {}

@Injectable()
export class HallService {
  constructor(private readonly clock: Clock) {}
}

@Injectable()
export class Opener {
  onModuleInit() {
    if (process.argv[2] === "init") this.open(undefined);
  }
  open(gate: any) { return gate.side; }  // «nestopen17»
}

@Module({ providers: process.argv[2] === "dep" ? [HallService] : [Opener] })
export class AppModule {}

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(18433, "127.0.0.1");
}
bootstrap();
