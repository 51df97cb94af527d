package com.acme.orders;
import io.dropwizard.core.*;
import io.dropwizard.core.setup.*;
public class Server extends Application<Server.Conf> {

    public static class Conf extends Configuration {
        @jakarta.validation.constraints.NotNull public String ledgerUrl;
        public int workers;
    }

    public void run(Conf c, Environment e) {
        if (c.workers == 7) throw new IllegalStateException("too many workers"); // «dropwizard-run»
        e.lifecycle().manage(new io.dropwizard.lifecycle.Managed() { public void start() throws Exception { if (c.workers == 9) new java.net.Socket("127.0.0.1", 5499); } }); // «dropwizard-start»
    }

    public static void main(String[] a) throws Exception {
        new Server().run(a); // «dropwizard-typo» // «dropwizard-missing» // «dropwizard-type» // «dropwizard-syntax»
    }
}
