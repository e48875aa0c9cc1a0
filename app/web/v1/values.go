package v1

// maxValues bounds what JSON becomes in memory, where {} of two bytes is an item
// of a hundred: ten thousand parts of three fields, and as many again for who
// names too many of them, to be told so.
const maxValues = 60_000

// values counts the values that JSON has, by the commas between them.
func values(text []byte) int {
	count, quoted := 1, false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == '\\' && quoted:
			i++ // over what it escapes
		case text[i] == ',' && !quoted:
			count++
		}
	}
	return count
}
