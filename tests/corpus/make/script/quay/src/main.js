"use strict";
const { fits } = require("./berth");
const how = process.env.HOW || "plain";
const on = (fn) => { process.on("uncaughtException", (err) => { fn(err); setTimeout(() => process.exit(1), 30); }); };
if (how === "pino") { const l = require("pino")(); on((e) => l.fatal(e)); }
if (how === "pinoerr") { const l = require("pino")({ formatters: { level: (l) => ({ level: l }) }, timestamp: require("pino").stdTimeFunctions.isoTime, messageKey: "message" }); on((e) => l.fatal({ err: e }, "quay died")); }
if (how === "pinoerror") { const l = require("pino")({ serializers: { error: require("pino").stdSerializers.err } }); on((e) => l.error({ error: e }, "quay died")); }
if (how === "pretty") { const l = require("pino")(require("pino-pretty")({ sync: true, colorize: false })); on((e) => l.fatal(e, "quay died")); }
if (how === "prettycolour") { const l = require("pino")(require("pino-pretty")({ sync: true, colorize: true })); on((e) => l.fatal(e, "quay died")); }
if (how === "bunyan") { const b = require("bunyan"); const l = b.createLogger({ name: "quay", serializers: b.stdSerializers }); on((e) => l.fatal({ err: e }, "quay died")); }
if (how === "winston") { const w = require("winston"); const l = w.createLogger({ format: w.format.combine(w.format.errors({ stack: true }), w.format.json()), transports: [new w.transports.Console()] }); on((e) => l.error(e)); }
if (how === "winstonsimple") { const w = require("winston"); const l = w.createLogger({ format: w.format.simple(), transports: [new w.transports.Console()] }); on((e) => l.error("quay died", e)); }
if (how === "winstoncli") { const w = require("winston"); const l = w.createLogger({ format: w.format.combine(w.format.errors({ stack: true }), w.format.colorize(), w.format.timestamp(), w.format.printf((i) => `${i.timestamp} ${i.level}: ${i.message}\n${i.stack}`)), transports: [new w.transports.Console()] }); on((e) => l.error(e)); }
if (how === "winstonexc") { const w = require("winston"); w.createLogger({ format: w.format.json(), transports: [new w.transports.Console({ handleExceptions: true })] }); }
if (how === "log4js") { const l = require("log4js").getLogger("quay"); l.level = "info"; on((e) => l.fatal("quay died", e)); }
if (how === "signale") { const s = require("signale"); on((e) => s.fatal(e)); }
if (how === "console") on((e) => console.error(e));
if (how === "consolestack") on((e) => console.error("quay died:", e.stack));
if (how === "consolejson") on((e) => console.log(JSON.stringify({ level: "error", message: e.message, stack: e.stack })));
if (how === "consolejsonerr") on((e) => console.log(JSON.stringify({ severity: "CRITICAL", error: { name: e.name, message: e.message, stack: e.stack } })));
if (how === "stacklines") on((e) => console.log(JSON.stringify({ level: "fatal", msg: e.message, stack: e.stack.split("\n") })));
if (how === "inspect") on((e) => console.error(require("util").inspect({ err: e, ship: "Z9" }, { depth: 4 })));
if (how === "debug") on((e) => process.stderr.write(`  quay:main ${e.stack} +0ms\n`));
fits({ berth: "Z9", draught: 4 });
