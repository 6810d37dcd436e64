package main

func Example() {
	main()
	// Output:
	// batch of 2: 528 tokens
	// batch of 1: 2048 tokens
	// batch of 2: 80 tokens
	// batch of 1: 1024 tokens
	// batch of 3: 224 tokens
}
