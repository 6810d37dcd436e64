package main

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"examples/demo"
)

// A life is the time of a worker process.
type life struct {
	place      int // of the pool: a worker that is killed leaves it to the next
	start, end time.Time
	killed     bool
}

// A pool has a worker process in each place. It kills one at random every few milliseconds and starts another.
type pool struct {
	files   []*os.File // of the queues
	random  *rand.Rand
	workers []*exec.Cmd
	running []life // of the workers
	lives   []life // that have ended
	stop    chan struct{}
	ended   chan struct{}
}

func startPool(files ...*os.File) *pool {
	p := &pool{
		files: files, random: rand.New(rand.NewSource(options.Seed)),
		workers: make([]*exec.Cmd, options.Workers), running: make([]life, options.Workers),
		stop: make(chan struct{}), ended: make(chan struct{}),
	}
	go p.run()
	return p
}

// join waits until all workers have ended, which they do when the queue of requests is closed.
func (p *pool) join() {
	close(p.stop)
	<-p.ended
}

func (p *pool) run() {
	defer close(p.ended)
	// The kernel kills a worker when the thread that started it ends, so this thread stays.
	runtime.LockOSThread()
	for place := range p.workers {
		p.start(place)
	}
	for {
		// From half to one and a half times the interval, so that it is in step with nothing.
		interval := time.Duration(float64(options.KillEveryMS) * (0.5 + p.random.Float64()) * 1e6)
		select {
		case <-time.After(interval):
			place := p.random.Intn(len(p.workers))
			demo.Check(p.workers[place].Process.Kill()) // SIGKILL
			p.wait(place)
			p.start(place)
		case <-p.stop:
			for place := range p.workers {
				demo.Check(p.wait(place))
			}
			return
		}
	}
}

func (p *pool) start(place int) {
	worker := exec.Command(options.Worker, fmt.Sprint(options.Speed))
	worker.ExtraFiles = p.files // descriptors 3 and 4 of the worker
	worker.Stderr = os.Stderr
	worker.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	demo.Check(worker.Start())
	p.workers[place] = worker
	p.running[place] = life{place: place, start: time.Now()}
}

// wait returns when the worker has ended, with an error if it failed or was killed.
func (p *pool) wait(place int) error {
	err := p.workers[place].Wait()
	ended := p.running[place]
	ended.end = time.Now()
	status, _ := p.workers[place].ProcessState.Sys().(syscall.WaitStatus)
	ended.killed = status.Signaled()
	p.lives = append(p.lives, ended)
	return err
}

// killed returns how many workers were killed.
func (p *pool) killed() (n int) {
	for _, each := range p.lives {
		if each.killed {
			n++
		}
	}
	return n
}
