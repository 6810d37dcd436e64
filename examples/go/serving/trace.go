package main

import (
	"time"

	"examples/demo"
)

// The stages that a request goes through. It is stamped when it is offered to a stage, so a put that waits counts
// as time in the stage that is full.
const (
	frontendStage = iota
	intakeStage
	priorityStage
	batchStage
	dequeStage
	workStage
	resultStage
	stages
)

type request struct {
	demo.Request

	// These fields belong to the goroutine that holds the request.
	at            [stages + 1]time.Time // when it was offered to each stage; the first is when it was due, the last when it was collected
	batch         int                   // the number of its batch
	owner, worker int                   // the workers that got the batch and that served the request
}

func (r *request) tokens() int { return r.Context + r.Generated }

func readTrace(path string) (trace []*request) {
	for _, r := range demo.ReadTrace(path) {
		trace = append(trace, &request{Request: r})
	}
	return trace
}
