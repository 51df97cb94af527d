package com.acme.depot;

/** A class whose file is removed, or exchanged, after the build. */
public class Plugin {
    public int size() {
        return 3;
    }
}
