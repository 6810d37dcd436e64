module versus

go 1.24

require queues v0.0.0

replace queues => ../../../bindings/go
