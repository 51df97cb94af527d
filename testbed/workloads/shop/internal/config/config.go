// Package config reads the service's settings from its environment.
package config

import (
	"os"
	"time"
)

// Config holds every setting of the service.
type Config struct {
	Listen      string        // address of the HTTP server
	DatabaseURL string        // where carts will be kept one day; only logged so far
	Drain       time.Duration // how long requests in flight may take after SIGTERM
}

// FromEnv fills unset variables with the values that a container wants.
func FromEnv() Config {
	return Config{
		Listen:      env("LISTEN", ":8080"),
		DatabaseURL: env("DATABASE_URL", "postgres://shop:correct-horse-battery@db:5432/shop?sslmode=disable"),
		Drain:       5 * time.Second,
	}
}

func env(name, fallback string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return fallback
}
