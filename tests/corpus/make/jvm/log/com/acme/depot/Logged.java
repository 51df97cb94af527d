package com.acme.depot;

import com.acme.depot.net.Client;
import com.acme.depot.stock.Shelf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs the exception that ends it, as a careful program does, with the level that the second argument says. */
public class Logged {
    private static final Logger LOG = LoggerFactory.getLogger(Logged.class);

    public static void main(String[] args) {
        for (int order = 1; order <= 6; order++) {
            LOG.info("order {} packed in {} ms", 4000 + order, order * 3 % 17);
        }
        try {
            crash(args[0]);
        } catch (Exception e) {
            if (args.length > 1) {
                LOG.warn("order skipped", e);
                for (int order = 1; order <= 30; order++) {
                    LOG.info("order {} packed in {} ms", 4100 + order, order * 3 % 17);
                }
                new Shelf().seal("late");
            }
            LOG.error("depot stops", e);
            System.exit(1);
        }
    }

    static void crash(String name) {
        switch (name) {
            case "close" -> new Shelf().close("2026-10");
            case "suppressed" -> new Shelf().closeQuietly("2026-10");
            case "nil" -> new Shelf().ownerLength();
            case "multi" -> new Shelf().multi();
            case "opened" -> new Client().open(1);
            default -> throw new IllegalArgumentException(name);
        }
    }
}
