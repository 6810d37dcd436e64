package main

func Example() {
	main()
	// Output: 92 solutions
}
