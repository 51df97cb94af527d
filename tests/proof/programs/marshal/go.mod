module example.com/marshal

go 1.24
