module queues

go 1.24
