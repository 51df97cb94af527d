package com.acme.depot.stock;

/** A class that cannot be initialised. */
public class Rates {
    static final int BASE = load();

    static int load() {
        return Integer.parseInt("ten"); // culprit: initializer
    }

    public static int base() {
        return BASE;
    }
}
