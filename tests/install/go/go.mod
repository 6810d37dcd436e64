module consumer

go 1.24

require queues v0.0.0
