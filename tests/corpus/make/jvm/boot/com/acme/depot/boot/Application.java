package com.acme.depot.boot;

import com.acme.depot.stock.Shelf;
import jakarta.annotation.PostConstruct;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;
import org.springframework.stereotype.Component;

/** A Spring Boot application that fails as its profile says. */
@SpringBootApplication
public class Application {
    public static void main(String[] args) {
        SpringApplication.run(Application.class, args); // culprit: boot-main
    }

    interface Carrier {
    }

    @Component
    @Profile("bean")
    static class Dispatch {
        Dispatch(Carrier carrier) {
        }
    }

    @Component
    @Profile("two-beans")
    static class Choice {
        Choice(Carrier carrier) {
        }
    }

    @Configuration
    @Profile("two-beans")
    static class Carriers {
        @Bean
        Carrier road() {
            return new Carrier() { };
        }

        @Bean
        Carrier rail() {
            return new Carrier() { };
        }
    }

    @Component
    @Profile("placeholder")
    static class Ledger {
        @Value("${depot.ledger.url}")
        String url;
    }

    @ConfigurationProperties("depot")
    record Settings(Duration timeout) {
    }

    @Configuration
    @Profile("bind")
    @EnableConfigurationProperties(Settings.class)
    static class Bound {
    }

    @Component
    @Profile("construct")
    static class Shelves {
        @PostConstruct
        void fill() {
            new Shelf().ownerLength();
        }
    }

    @Component
    @Profile("needs-construct")
    static class Counter {
        Counter(Broken broken) {
        }
    }

    @Component
    @Profile("needs-construct")
    static class Broken {
        Broken() {
            List<String> crates = new ArrayList<>();
            crates.get(3); // culprit: boot-index
        }
    }

    @Component
    @Profile("refused")
    static class Queue {
        Queue() throws Exception {
            new Socket("127.0.0.1", 1).close(); // culprit: boot-refused
        }
    }

    @Component
    @Profile("runner")
    static class Runner implements CommandLineRunner {
        @Override
        public void run(String... args) {
            new Shelf().close("2026-10");
        }
    }

    @Component
    @Profile("circle")
    static class Left {
        Left(Right right) {
        }
    }

    @Component
    @Profile("circle")
    static class Right {
        Right(Left left) {
        }
    }
}
