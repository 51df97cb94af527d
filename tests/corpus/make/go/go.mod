module example.com/acme/depotd

go 1.19
