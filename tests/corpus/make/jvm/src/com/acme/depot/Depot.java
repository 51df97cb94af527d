package com.acme.depot;

import com.acme.depot.net.Client;
import com.acme.depot.stock.Rates;
import com.acme.depot.stock.Shelf;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Crashes as the first argument says, in the place that the second one says. */
public class Depot {
    interface Crash {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        for (int order = 1; order <= 8; order++) {
            System.out.printf("2026-11-24 04:30:45.%03d INFO  depot - order %d packed in %d ms%n", 100 + order, 4000 + order, order * 3 % 17);
        }
        System.out.flush();
        place(args.length > 1 ? args[1] : "main", of(args[0]));
    }

    static void place(String where, Crash crash) throws Exception {
        switch (where) {
            case "main" -> crash.run();
            case "pool" -> pool(crash);
            case "future" -> CompletableFuture.runAsync(() -> quietly(crash)).join();
            case "thread" -> thread(crash);
            case "reflect" -> reflect(crash);
            case "stream" -> List.of(1).forEach(ignored -> quietly(crash));
            default -> throw new IllegalArgumentException(where);
        }
    }

    static void pool(Crash crash) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(2);
        try {
            pool.submit(() -> quietly(crash)).get();
        } finally {
            pool.shutdown();
        }
    }

    static void thread(Crash crash) throws Exception {
        Thread.setDefaultUncaughtExceptionHandler(null);
        Thread worker = new Thread(() -> quietly(crash), "packer-1");
        worker.start();
        worker.join();
        System.out.println("2026-11-24 04:30:46.001 ERROR depot - packer-1 died, stopping");
        System.exit(1);
    }

    static void reflect(Crash crash) throws Exception {
        Method method = Depot.class.getDeclaredMethod("quietly", Crash.class);
        method.invoke(null, crash);
    }

    static void quietly(Crash crash) {
        try {
            crash.run();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Exception e) {
            throw new RuntimeException(e);
        }
    }

    static Crash of(String name) {
        Shelf shelf = new Shelf();
        Client client = new Client();
        return switch (name) {
            case "nil" -> shelf::ownerLength;
            case "index" -> () -> shelf.at(5);
            case "array" -> () -> shelf.cell(5);
            case "cut" -> () -> shelf.cut("short");
            case "cast" -> () -> shelf.weight("A-7");
            case "divide" -> () -> shelf.average(10);
            case "missing" -> () -> shelf.find("A-7");
            case "recursion" -> () -> shelf.depth(0);
            case "mutual" -> () -> shelf.ping(0);
            case "assertion" -> shelf::check;
            case "sealed" -> () -> shelf.seal(Long.toHexString(System.nanoTime()));
            case "sealed-again" -> () -> shelf.sealAgain(Long.toHexString(System.nanoTime()));
            case "close" -> () -> shelf.close("2026-10");
            case "close-suppressed" -> () -> shelf.closeQuietly("2026-10");
            case "modified" -> shelf::modify;
            case "required" -> () -> shelf.require(null);
            case "heap" -> shelf::fill;
            case "huge" -> shelf::huge;
            case "multi" -> shelf::multi;
            case "lambda" -> () -> shelf.task().run();
            case "anonymous" -> () -> shelf.anonymous().run();
            case "initializer" -> Rates::base;
            case "refused" -> () -> client.connect(1);
            case "opened" -> () -> client.open(1);
            case "http" -> () -> client.get(1);
            case "tls" -> () -> client.tls(Integer.getInteger("port"));
            case "resolve" -> client::resolve;
            case "slow" -> () -> client.slow(Integer.getInteger("port"));
            case "listen" -> () -> client.listen(18_431);
            case "read" -> client::read;
            case "read-path" -> client::readPath;
            case "write" -> client::write;
            case "full" -> client::full;
            case "files" -> client::files;
            case "program" -> client::program;
            case "setting" -> client::setting;
            case "setting-null" -> client::settingLength;
            case "library" -> client::library;
            case "plugin" -> () -> new Plugin().size(); // culprit: plugin
            case "threads" -> Depot::threads;
            case "segv" -> Depot::segv;
            case "metaspace" -> Depot::classes;
            default -> throw new IllegalArgumentException(name);
        };
    }

    static void threads() {
        List<Thread> all = new ArrayList<>();
        while (true) {
            Thread thread = new Thread(() -> {
                try {
                    Thread.sleep(60_000);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            thread.setDaemon(true);
            all.add(thread);
            thread.start(); // culprit: threads
        }
    }

    static void segv() throws Exception {
        var field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        ((sun.misc.Unsafe) field.get(null)).putAddress(8, 1); // culprit: segv
    }

    static void classes() throws Exception {
        List<Object> all = new ArrayList<>();
        while (true) {
            var loader = new java.net.URLClassLoader(new java.net.URL[] {Depot.class.getProtectionDomain().getCodeSource().getLocation()}, null);
            all.add(loader.loadClass("com.acme.depot.stock.Shelf").getDeclaredConstructor().newInstance()); // culprit: metaspace
        }
    }
}
