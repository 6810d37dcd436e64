package main

func Example() {
	main()
	// Output:
	// 0
	// 0.5
	// 2.5
	// 6.5
	// 12.5
	// 20.5
	// 30.5
	// 42.5
	// 56.5
	// 72.5
}
