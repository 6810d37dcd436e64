package main

func Example() {
	main()
	// Output:
	// 4: Why?
	// 5: Hello
	// 6: Thanks
	// 21: Translate this letter
	// 26: Write a poem about the sea
}
