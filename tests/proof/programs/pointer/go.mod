module example.com/pointer

go 1.24
