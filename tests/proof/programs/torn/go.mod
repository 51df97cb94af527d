module example.com/torn

go 1.24
