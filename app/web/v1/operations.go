package v1

import "slices"

// concern is operations that belong together.
type concern struct {
	name, about string // a word or two, and a sentence
	operations  []operation
}

// concerns are all that the API does, in the order of the document.
func concerns() []concern {
	return []concern{
		{"Files", "List files, read and write them.", slices.Concat(listOperations(), fileOperations())},
		{"Copies", "Files under another name, without moving their bytes through the API.", copyOperations()},
		{"Versions", "What a file was before, and how it is brought back.", versionOperations()},
		{"Batches", "Many files in one request.", slices.Concat(batchOperations(), deleteOperations())},
		{"Uploads", "Files of any size, in parts that go to the storage itself and can be sent again one by one.", uploadOperations()},
		{"Forms", "Uploads from HTML forms.", formOperations()},
		{"Links", "Files for who has no key.", linkOperations()},
		{"Problems", "What the kinds of problems mean, and what to do about them.", problemOperations()},
	}
}

// operations are those of all concerns.
func operations() []operation {
	var all []operation
	for _, c := range concerns() {
		all = append(all, c.operations...)
	}
	return all
}
