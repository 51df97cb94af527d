"use strict";
const { left, Hall } = require("./seats");
const jobs = {
  none() { new Hall().reserve("Z", 2); },
  async redis() {
    const Redis = require("ioredis");
    const client = new Redis("redis://:redispw77@127.0.0.1:1", { maxRetriesPerRequest: 1 });
    await client.get("k");
  },
  async redisquiet() {
    const Redis = require("ioredis");
    const client = new Redis("redis://:redispw77@127.0.0.1:1", { retryStrategy: () => null });
    client.on("error", (e) => console.error("redis", e.message));
    await client.get("k");
  },
  async pg() {
    const { Client } = require("pg");
    const client = new Client("postgres://kiosk:pgpw778@127.0.0.1:1/kiosk");
    await client.connect();
  },
  async pgdns() {
    const { Client } = require("pg");
    const client = new Client("postgres://kiosk:pgpw778@db.kiosk.invalid:1/kiosk");
    await client.connect();
  },
  async mysql() {
    const mysql = require("mysql2/promise");
    await mysql.createConnection({ host: "127.0.0.1", port: 1, user: "kiosk", password: "x" });  // «jobsmysql28»
  },
  async mongo() {
    const { MongoClient } = require("mongodb");
    const client = new MongoClient("mongodb://kiosk:mongopw77@127.0.0.1:1/", { serverSelectionTimeoutMS: 600 });
    await client.connect();
  },
  async amqp() {
    const amqp = require("amqplib");
    await amqp.connect("amqp://kiosk:amqppw77@127.0.0.1:1");
  },
  async kafka() {
    const { Kafka } = require("kafkajs");
    const producer = new Kafka({ clientId: "kiosk", brokers: ["127.0.0.1:1"], retry: { retries: 1 } }).producer();
    await producer.connect();
  },
  grpc() {
    const grpc = require("@grpc/grpc-js");
    const Client = grpc.makeGenericClientConstructor({ get: { path: "/r.R/Get", requestStream: false, responseStream: false, requestSerialize: (x) => x, responseDeserialize: (x) => x } }, "R");
    new Client("127.0.0.1:1", grpc.credentials.createInsecure()).get(Buffer.from("x"), { deadline: Date.now() + 3000 }, (err) => { if (err) throw err; });
  },
  async axios() {
    const axios = require("axios");
    await axios.get("http://127.0.0.1:1/v1/halls?api_key=sk_live_axiosSecret99", { headers: { Authorization: "Bearer tok_axiosBearerSecret" }, proxy: false });
  },
  async axios404() {
    const axios = require("axios");
    const http = require("http");
    const server = http.createServer((req, res) => { res.statusCode = 401; res.end("no"); }).listen(18451, "127.0.0.1");
    await axios.get("http://127.0.0.1:18451/v1/halls", { proxy: false });
  },
  async s3() {
    const { S3Client, ListBucketsCommand } = require("@aws-sdk/client-s3");
    await new S3Client({ region: "eu-west-1", endpoint: "http://127.0.0.1:1", maxAttempts: 1, credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" } }).send(new ListBucketsCommand({}));
  },
  async sequelize() {
    const { Sequelize } = require("sequelize");
    await new Sequelize("postgres://kiosk:seqpw77@127.0.0.1:1/kiosk", { logging: false }).authenticate();
  },
  async typeorm() {
    const { DataSource } = require("typeorm");
    await new DataSource({ type: "postgres", url: "postgres://kiosk:topw77@127.0.0.1:1/kiosk" }).initialize();
  },
  zod() {
    const { z } = require("zod");
    z.object({ DATABASE_URL: z.string(), PORT: z.coerce.number() }).parse({ PORT: "8080" });  // «jobszod73»
  },
  envalid() {
    const { cleanEnv, str, port } = require("envalid");
    cleanEnv({ PORT: "eighty" }, { DATABASE_URL: str(), PORT: port() });
  },
  express() {
    const express = require("express");
    express().listen(18433, "127.0.0.1");
  },
  expresscb() {
    const express = require("express");
    express().listen(18433, "127.0.0.1", (err) => { if (err) throw err; console.log("listening"); });
  },
  async fastify() {
    const app = require("fastify")({ logger: true });
    try { await app.listen({ port: 18433, host: "127.0.0.1" }); } catch (err) { app.log.error(err); process.exit(1); }
  },
  async fastifyplugin() {
    const app = require("fastify")({ logger: true });
    app.register(async () => { new Hall().reserve("Z", 1); });
    await app.ready();
  },
  worker() {
    const { Worker } = require("worker_threads");
    new Worker(__filename, { argv: ["none"] });
  },
  workerhandled() {
    const { Worker } = require("worker_threads");
    const w = new Worker(__filename, { argv: ["none"] });
    w.on("error", (e) => { console.error("worker failed", e); process.exit(1); });
  },
  cluster() {
    const cluster = require("cluster");
    if (cluster.isPrimary) {
      cluster.fork();
      cluster.on("exit", (w, code, sig) => { console.error(`worker ${w.process.pid} died (${sig || code})`); process.exit(1); });
    } else { new Hall().reserve("Z", 3); }
  },
  async aggregate() {
    await Promise.any([reject("north"), reject("south")]);
  },
  async causechain() {
    try { new Hall().reserve("Z", 1); } catch (e) { throw new Error("seat plan 3f2504e0-4f89-11d3-9a0c-0305e82c3301 not built", { cause: e }); }
  },
  async deepcause() {
    try { await connect(); } catch (e) { throw new Error("cannot start", { cause: new Error("cannot load halls", { cause: e }) }); }
  },
  async nullreject() { await Promise.reject(null); },
  async undefinedreject() { await Promise.reject(); },
  async objreject() { await Promise.reject({ code: 17, why: "no hall" }); },
  symbol() { throw Symbol("no hall"); },  // «jobstop124»
  warn() {
    process.emitWarning("Buffer() is deprecated", "DeprecationWarning", "DEP0005");
    for (let i = 0; i < 12; i++) process.on("x", () => {});
    new Hall().reserve("Z", 3);
  },
  pino() {
    const pino = require("pino")();
    process.on("uncaughtException", (err) => { pino.fatal(err, "uncaught exception"); process.exit(1); });
    setTimeout(() => new Hall().reserve("Z", 3), 5);
  },
  pinopretty() {
    const pino = require("pino")({ transport: undefined }, require("pino-pretty")({ sync: true, colorize: true }));
    process.on("uncaughtException", (err) => { pino.fatal(err, "uncaught exception"); process.exit(1); });
    pino.info("kiosk starts");
    setTimeout(() => new Hall().reserve("Z", 3), 5);
  },
  bunyan() {
    const log = require("bunyan").createLogger({ name: "kiosk" });
    process.on("uncaughtException", (err) => { log.fatal({ err }, "uncaught exception"); process.exit(1); });
    setTimeout(() => new Hall().reserve("Z", 3), 5);
  },
  winstonexc() {
    const winston = require("winston");
    const log = winston.createLogger({ format: winston.format.json(), transports: [new winston.transports.Console({ handleExceptions: true })] });
    setTimeout(() => new Hall().reserve("Z", 3), 5);
  },
  winstonsimple() {
    const winston = require("winston");
    const log = winston.createLogger({ format: winston.format.combine(winston.format.errors({ stack: true }), winston.format.timestamp(), winston.format.printf((i) => `${i.timestamp} [${i.level}] ${i.message} ${i.stack || ""}`)), transports: [new winston.transports.Console()] });
    try { new Hall().reserve("Z", 3); } catch (e) { log.error(e); log.info("shutting down"); setTimeout(() => process.exit(1), 20); }
  },
  winstonmeta() {
    const winston = require("winston");
    const log = winston.createLogger({ format: winston.format.combine(winston.format.timestamp(), winston.format.json()), transports: [new winston.transports.Console()] });
    process.on("uncaughtException", (err) => { log.error("fatal", { error: { name: err.name, message: err.message, stack: err.stack } }); setTimeout(() => process.exit(1), 20); });
    setTimeout(() => new Hall().reserve("Z", 3), 5);
  },
  log4js() {
    const log = require("log4js").getLogger("kiosk"); log.level = "info";
    process.on("uncaughtException", (err) => { log.fatal("uncaught", err); process.exit(1); });
    setTimeout(() => new Hall().reserve("Z", 3), 5);
  },
  signale() {
    const s = require("signale");
    try { new Hall().reserve("Z", 3); } catch (e) { s.fatal(e); process.exit(1); }
  },
  consolecatch() {
    Promise.resolve().then(() => new Hall().reserve("Z", 3)).catch((e) => { console.error("Failed to start:", e); process.exit(1); });
  },
  consolemsg() {
    Promise.resolve().then(() => new Hall().reserve("Z", 3)).catch((e) => { console.error("Failed to start: " + e.stack); process.exit(1); });
  },
  consoleshort() {
    Promise.resolve().then(() => new Hall().reserve("Z", 3)).catch((e) => { console.error("fatal:", e.message); process.exitCode = 1; });
  },
  survived() {
    let n = 0;
    const t = setInterval(() => { try { new Hall().reserve("Z", 3); } catch (e) { console.error(e); } if (++n === 4) { clearInterval(t); null.x; } }, 5);  // «jobstop182»
  },
  sourceline() { new Hall().reserve("Z", 3) || "x".repeat(900); },
  evald() { eval("new Hall().reserve('Z', 3)"); },
  vm() { require("vm").runInNewContext("f('Z')", { f: left }, "rule-17.js"); },
  json() { JSON.parse("<!DOCTYPE html><html>"); },  // «jobsjson187»
  jsonfile() { require("../conf/bad.json"); },
  emfile() { const fs = require("fs"); const held = []; for (;;) held.push(fs.openSync(__filename)); },
  enospc() { const e = new Error("ENOSPC: no space left on device, write"); e.code = "ENOSPC"; e.errno = -28; e.syscall = "write"; throw e; },  // «jobsenospc190»
  eacces() { require("http").createServer().listen("/proc/x.sock"); },
  heap() { const a = []; for (;;) a.push(new Array(1e5).fill(Math.random())); },
  strlen() { let s = "x".repeat(1 << 28); s = s + s + s; },  // «jobsstrlen193»
  spawnmissing() { require("child_process").spawn("wkhtmltopdf", ["x"]); },
  execfail() { require("child_process").execSync("ls /nonexistent-dir", { stdio: "pipe" }); },  // «jobsexecfail195»
  tls() { require("tls").connect(18433, "127.0.0.1"); },
  dynimport() { return import("./halls.mjs"); },
  esmrequire() { require("./esm/index.mjs"); },
  async timeout() { await fetch("http://127.0.0.1:18433/", { signal: AbortSignal.timeout(300) }); },
  async abort() { const c = new AbortController(); setTimeout(() => c.abort(), 50); await fetch("http://127.0.0.1:18433/", { signal: c.signal }); },
  stackinfinite() { const a = { toJSON() { return JSON.stringify(a); } }; JSON.stringify(a); },  // «jobstop201»
  proto() { "use strict"; Object.freeze(jobs).x = 1; },
  readonly() { const frozen = Object.freeze({ a: 1 }); frozen.a = 2; },  // «jobsreadonly203»
  tdz() { use(); let v; function use() { return v + 1; } },  // «jobsuse204»
  iter() { const [a] = undefined; },  // «jobsiter205»
  iter2() { const [a] = 5; },  // «jobsiter2206»
  nodeassert() { require("assert").strictEqual(left("A"), 5, "row A must have five seats"); },  // «jobsnodeassert207»
  consoleassert() { console.assert(false, "nope"); process.exit(7); },
  date() { new Date(NaN).toISOString(); },  // «jobsdate209»
  bigmix() { 1n + 1; },
  multi() { throw new Error("line one\n    at fake (/srv/kiosk/src/fake.js:1:1)\nline three"); },  // «jobsmulti211»
  sigint() { process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 2000); },
};
function reject(side) { return Promise.reject(new Error(`${side} gate closed`)); }
async function connect() { await new Promise((ok, no) => require("net").connect(1, "127.0.0.1").on("error", no)); }
const r = jobs[process.argv[2]]();
if (r && r.then && process.argv[3] === "main") r.catch((e) => { console.error(e); process.exit(1); });
