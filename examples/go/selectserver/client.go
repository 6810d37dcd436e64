package main

import (
	"context"
	"encoding/binary"
	"io"
	"log"
	"net"
	"sync"
	"time"
)

// mostUnread is how many answers a client may leave unread before it is disconnected.
const mostUnread = 1000

// A client has two goroutines, which wait for its socket.
type client struct {
	net.Conn
	answers chan job
	due     sync.WaitGroup // requests that have no answer yet
}

// accept returns after ctx has ended.
func accept(ctx context.Context, listener net.Listener, requests chan<- job, clients *sync.WaitGroup) {
	context.AfterFunc(ctx, func() { listener.Close() })
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return
		}
		if err != nil { // perhaps there are too many clients
			log.Print(err)
			time.Sleep(time.Second / 10)
			continue
		}
		c := &client{Conn: conn, answers: make(chan job, mostUnread)}
		start(clients, func() { c.read(ctx, requests) })
		start(clients, func() { c.write(ctx) })
	}
}

// read passes requests to the loop until the client is gone or ctx has ended, and ends the answers after the last.
func (c *client) read(ctx context.Context, requests chan<- job) {
	var number [4]byte
	for ctx.Err() == nil {
		if _, err := io.ReadFull(c, number[:]); err != nil {
			break
		}
		c.due.Add(1)
		select {
		case requests <- job{client: c, number: binary.NativeEndian.Uint32(number[:])}:
		case <-ctx.Done():
			c.due.Done()
		}
	}
	c.due.Wait()
	close(c.answers)
}

// write sends the answers, and disconnects a client that does not read them.
func (c *client) write(ctx context.Context) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() {
		c.SetReadDeadline(time.Now()) // no more requests, and not forever for the last answers
		c.SetWriteDeadline(time.Now().Add(time.Second))
	})()
	var bytes []byte
	for a := range c.answers {
		bytes = binary.NativeEndian.AppendUint32(bytes[:0], a.number)
		bytes = binary.NativeEndian.AppendUint32(bytes, a.factor)
		if _, err := c.Write(bytes); err != nil {
			c.Close()
		}
	}
}

// send passes an answer on. The loop calls it, so it does not wait.
func (c *client) send(answer job) {
	select {
	case c.answers <- answer:
	default:
		c.Close()
	}
	c.due.Done()
}

func start(all *sync.WaitGroup, run func()) {
	all.Add(1)
	go func() {
		defer all.Done()
		run()
	}()
}

func smallestFactor(number uint32) uint32 {
	for factor := uint64(2); factor*factor <= uint64(number); factor++ {
		if uint64(number)%factor == 0 {
			return uint32(factor)
		}
	}
	return number
}
