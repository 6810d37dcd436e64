package main

func Example() {
	main()
	// Output:
	// sensor 0: 20000 readings, 20.0495 °C
	// sensor 1: 20000 readings, 21.0495 °C
	// sensor 2: 20000 readings, 22.0495 °C
}
