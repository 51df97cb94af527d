package com.acme.orders;
import java.util.*;
/** Clients of what is not there, one method for each. */
public class Clients {

    static String pooled(String host) {
        try (var p = new redis.clients.jedis.JedisPool(host, 6379)) {
            try (var r = p.getResource()) { // «jedis-dns»
                return r.get("cart");
            }
        }
    }

    static String lettuce(String uri) {
        var c = io.lettuce.core.RedisClient.create(uri);
        try {
            return c.connect().sync().get("cart"); // «lettuce-refused»
        } finally {
            c.shutdown();
        }
    }

    static void postgres(String url) throws Exception {
        try (var c = java.sql.DriverManager.getConnection(url, "orders", "hunter2")) { // «postgres-refused» // «mysql-refused» // «mariadb-refused» // «postgres-dns» // «no-driver»
            c.createStatement();
        }
    }

    static void hikari(String url) throws Exception {
        var g = new com.zaxxer.hikari.HikariConfig();
        g.setJdbcUrl(url);
        g.setUsername("orders");
        g.setPassword("x");
        g.setPoolName("orders-pool");
        g.setConnectionTimeout(1500);
        try (var d = new com.zaxxer.hikari.HikariDataSource(g)) { // «hikari-refused»
            d.getConnection();
        }
    }

    static void kafka(String boot) {
        var p = new Properties();
        p.put("bootstrap.servers", boot);
        p.put("key.deserializer","org.apache.kafka.common.serialization.StringDeserializer");
        p.put("value.deserializer","org.apache.kafka.common.serialization.StringDeserializer");
        p.put("default.api.timeout.ms","2500");
        p.put("request.timeout.ms","2000");
        try (var c = new org.apache.kafka.clients.consumer.KafkaConsumer<String,String>(p)) { // «kafka-dns» // «kafka-bad-url»
            c.partitionsFor("orders");
        }
    }

    static void kafkaSend(String boot) throws Exception {
        var p = new Properties();
        p.put("bootstrap.servers", boot);
        p.put("max.block.ms","2000");
        p.put("key.serializer","org.apache.kafka.common.serialization.StringSerializer");
        p.put("value.serializer","org.apache.kafka.common.serialization.StringSerializer");
        try (var c = new org.apache.kafka.clients.producer.KafkaProducer<String,String>(p)) {
            c.send(new org.apache.kafka.clients.producer.ProducerRecord<>("orders","a","b")).get(); // «kafka-send»
        }
    }

    static void kafkaNoGroup(String boot) {
        var p = new Properties();
        p.put("bootstrap.servers", boot);
        p.put("key.deserializer","org.apache.kafka.common.serialization.StringDeserializer");
        p.put("value.deserializer","org.apache.kafka.common.serialization.StringDeserializer");
        try (var c = new org.apache.kafka.clients.consumer.KafkaConsumer<String,String>(p)) {
            c.subscribe(List.of("orders"));
            c.poll(java.time.Duration.ofMillis(10));
        }
    }

    static void mongo(String uri) {
        try (var c = com.mongodb.client.MongoClients.create(uri)) { // «mongo-bad-url»
            c.getDatabase("orders").getCollection("cart").countDocuments();
        }
    }

    static void rabbit(String uri) throws Exception {
        var f = new com.rabbitmq.client.ConnectionFactory();
        f.setUri(uri);
        f.newConnection("orders"); // «rabbit-refused»
    }

    static void apache(String url) throws Exception {
        try (var c = org.apache.hc.client5.http.impl.classic.HttpClients.createDefault()) {
            c.execute(new org.apache.hc.client5.http.classic.methods.HttpGet(url), r -> null); // «apache-refused»
        }
    }

    static void grpc(String target) {
        var ch = io.grpc.ManagedChannelBuilder.forTarget(target).usePlaintext().build();
        io.grpc.health.v1.HealthGrpc.newBlockingStub(ch).check(io.grpc.health.v1.HealthCheckRequest.getDefaultInstance()); // «grpc-refused»
    }

    static void grpcDeadline(String target) {
        var ch = io.grpc.ManagedChannelBuilder.forTarget(target).usePlaintext().build();
        io.grpc.health.v1.HealthGrpc.newBlockingStub(ch).withDeadlineAfter(800, java.util.concurrent.TimeUnit.MILLISECONDS).check(io.grpc.health.v1.HealthCheckRequest.getDefaultInstance());
    }

    static void zookeeper(String at) throws Exception {
        var c = org.apache.curator.framework.CuratorFrameworkFactory.newClient(at, 2000, 1000, new org.apache.curator.retry.RetryOneTime(100));
        c.start();
        c.getData().forPath("/orders"); // «zookeeper»
    }

    static void yaml(String file) throws Exception {
        new org.yaml.snakeyaml.Yaml().load(new java.io.FileReader(file)); // «snakeyaml» // «snakeyaml-log» // «snakeyaml-print» // «snakeyaml-wrap»
    }

    static void jetty(String x) throws Exception {
        var held = new java.net.ServerSocket(0);
        var s = new org.eclipse.jetty.server.Server(held.getLocalPort());
        s.start(); // «jetty-port»
    }

    static void tomcat(String x) throws Exception {
        var held = new java.net.ServerSocket(0);
        var t = new org.apache.catalina.startup.Tomcat();
        t.setPort(held.getLocalPort());
        t.getConnector().setThrowOnFailure(true);
        t.start(); // «tomcat-port»
    }

    static void reactor(String x) {
        reactor.core.publisher.Flux.just(1,2,0).map(i -> 10 / i).doOnNext(i -> {}).blockLast(); // «reactor»
    }

    static void reactorDebug(String x) {
        reactor.core.publisher.Hooks.onOperatorDebug();
        reactor.core.publisher.Flux.just(1,2,0).map(i -> 10 / i).checkpoint("orders").blockLast(); // «reactor-debug»
    }

    static void reactorRetry(String x) {
        reactor.core.publisher.Mono.fromCallable(() -> { throw new java.net.ConnectException("Connection refused: ledger/10.0.3.7:8080"); }).retryWhen(reactor.util.retry.Retry.fixedDelay(2, java.time.Duration.ofMillis(50))).block(); // «reactor-retry»
    }

    static void forkjoin(String x) {
        java.util.stream.IntStream.range(0, 200).parallel().map(i -> 10 / (i - 77)).sum(); // «fork-join» // «fork-join-log» // «fork-join-print»
    }

    static void handler(String x) {
        Thread.setDefaultUncaughtExceptionHandler((t, e) -> { org.slf4j.LoggerFactory.getLogger("com.acme.orders.Main").error("Uncaught exception in thread {}", t.getName(), e); System.exit(13); });
        new Thread(() -> { Map<String,Integer> m = new HashMap<>(); int n = m.get("A-7"); }, "worker-3").start(); // «uncaught-handler»
    }

    public static void main(String[] a) throws Exception {
        var log = org.slf4j.LoggerFactory.getLogger("com.acme.orders.Main");
        log.info("orders starts");
        for (int i = 0; i < 20; i++) log.info("order {} accepted in {} ms", 1000 + i * 37, 3 + i % 7);
        try {
            Clients.class.getDeclaredMethod(a[0], String.class).invoke(null, a.length > 1 ? a[1] : "x");
        } catch (java.lang.reflect.InvocationTargetException e) {
            String mode = System.getProperty("mode", "throw");
            if (mode.equals("throw")) {
                if (e.getCause() instanceof RuntimeException r) throw r;
                if (e.getCause() instanceof Error r) throw r;
                throw (Exception) e.getCause();
            }
            if (mode.equals("wrap")) throw new IllegalStateException("orders cannot start", e.getCause());
            if (mode.equals("log")) {
                log.error("orders cannot start", e.getCause());
                System.exit(1);
            }
            if (mode.equals("print")) {
                e.getCause().printStackTrace();
                System.exit(2);
            }
            if (mode.equals("text")) {
                System.err.println("orders: " + e.getCause());
                System.exit(1);
            }
            if (mode.equals("msg")) {
                log.error("orders cannot start: {}", e.getCause().getMessage());
                System.exit(1);
            }
        }
    }
}
