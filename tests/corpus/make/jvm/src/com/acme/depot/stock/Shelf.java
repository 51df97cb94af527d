package com.acme.depot.stock;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** A shelf that fails in many ways. */
public class Shelf {
    static class Owner {
        String name;
    }

    private Owner owner;
    private final List<String> crates = new ArrayList<>();
    private final Map<String, Object> index = new HashMap<>();

    public int ownerLength() {
        return owner.name.length(); // culprit: nil
    }

    public String at(int position) {
        return crates.get(position); // culprit: index
    }

    public int cell(int position) {
        int[] cells = new int[3];
        return cells[position]; // culprit: array
    }

    public String cut(String text) {
        return text.substring(9); // culprit: cut
    }

    public Number weight(String crate) {
        index.put(crate, "heavy");
        return (Number) index.get(crate); // culprit: cast
    }

    public int average(int total) {
        return total / crates.size(); // culprit: divide
    }

    public String find(String name) {
        return Optional.ofNullable((String) index.get(name)).orElseThrow(); // culprit: missing
    }

    public int depth(int level) {
        return depth(level + 1) + 1; // culprit: recursion
    }

    public int ping(int level) {
        return pong(level) + 1; // culprit: mutual
    }

    int pong(int level) {
        return ping(level) + 1;
    }

    public void check() {
        throw new AssertionError("shelf is not sorted"); // culprit: assertion
    }

    public void seal(String state) {
        throw new IllegalStateException("shelf is sealed: " + state); // culprit: sealed
    }

    public void sealAgain(String state) {
        throw new IllegalStateException("shelf is sealed: " + state); // culprit: sealed-again
    }

    public void close(String month) {
        try {
            average(10);
        } catch (ArithmeticException e) {
            throw new IllegalStateException("cannot close " + month, e);
        }
    }

    public void closeQuietly(String month) {
        try {
            average(10);
        } catch (ArithmeticException e) {
            RuntimeException outer = new IllegalStateException("cannot close " + month, e);
            outer.addSuppressed(new java.net.ConnectException("Connection refused"));
            throw outer;
        }
    }

    public void modify() {
        crates.add("a");
        crates.add("b");
        crates.add("c");
        for (String crate : crates) { // culprit: modified
            crates.remove(crate);
        }
    }

    public void require(String value) {
        Objects.requireNonNull(value, "value"); // culprit: required
    }

    public void fill() {
        List<byte[]> all = new ArrayList<>();
        while (true) {
            all.add(new byte[1 << 20]); // culprit: heap
        }
    }

    public long[] huge() {
        return new long[Integer.MAX_VALUE]; // culprit: huge
    }

    public void multi() {
        throw new IllegalStateException("first line\nsecond line at position 3\n  third: no more"); // culprit: multi
    }

    public Runnable task() {
        return () -> {
            Object crate = null;
            crate.hashCode(); // culprit: lambda
        };
    }

    public Runnable anonymous() {
        return new Runnable() {
            @Override
            public void run() {
                at(7); // not the top: Shelf.at is
            }
        };
    }
}
