module github.com/acme

go 1.24
