package main

func Example() {
	main()
	// Output:
	// queues
	// carry
	// things
	// between
	// goroutines
}
