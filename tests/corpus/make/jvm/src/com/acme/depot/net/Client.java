package com.acme.depot.net;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What reaches outside. */
public class Client {
    public void connect(int port) throws IOException {
        new Socket("127.0.0.1", port).close(); // culprit: refused
    }

    public void open(int port) {
        try {
            connect(port);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open the ledger", e);
        }
    }

    public void get(int port) throws Exception {
        HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofMillis(300)).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/")).build();
        client.send(request, HttpResponse.BodyHandlers.ofString()); // culprit: http
    }

    public void tls(int port) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://127.0.0.1:" + port + "/")).build();
        client.send(request, HttpResponse.BodyHandlers.ofString()); // culprit: tls
    }

    public void resolve() throws IOException {
        InetAddress.getByName("ledger.shop.invalid"); // culprit: resolve
    }

    public void slow(int port) throws IOException {
        Socket socket = new Socket("127.0.0.1", port);
        socket.setSoTimeout(200);
        socket.getInputStream().read(); // culprit: slow
    }

    public void listen(int port) throws IOException {
        new ServerSocket(port); // culprit: listen
        new ServerSocket(port); // culprit: listen-twice
    }

    public void read() throws IOException {
        new FileInputStream("/etc/depot/depot.yaml").close(); // culprit: read
    }

    public void readPath() throws IOException {
        Files.readString(Path.of("/etc/depot/depot.yaml")); // culprit: read-path
    }

    public void write() throws IOException {
        Files.writeString(Path.of("/proc/1/depot"), "x"); // culprit: write
    }

    public void full() throws IOException {
        try (java.io.FileOutputStream out = new java.io.FileOutputStream("/dev/full")) {
            out.write(1); // culprit: full
        }
    }

    public void files() throws IOException {
        List<FileInputStream> all = new ArrayList<>();
        while (true) {
            all.add(new FileInputStream("/dev/null")); // culprit: files
        }
    }

    public void program() throws IOException {
        new ProcessBuilder("convert-crate", "-x").start(); // culprit: program
    }

    public String setting() {
        String url = System.getenv("DEPOT_DATABASE_URL");
        if (url == null) {
            throw new IllegalStateException("DEPOT_DATABASE_URL is not set"); // culprit: setting
        }
        return url;
    }

    public int settingLength() {
        return System.getenv("DEPOT_DATABASE_URL").length(); // culprit: setting-null
    }

    public void library() {
        System.loadLibrary("depotcrypt"); // culprit: library
    }
}
