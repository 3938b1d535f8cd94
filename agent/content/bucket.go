package content

// bucket lets through so many a second, and so many at once after a pause. Times are nanoseconds of CLOCK_MONOTONIC.
type bucket struct {
	tokens float64
	at     uint64
}

// take reports whether one more goes through.
func (b *bucket) take(rate float64, now uint64) bool {
	full := max(1, rate)
	if b.at == 0 {
		b.tokens, b.at = full, now
	} else if now > b.at {
		b.tokens = min(full, b.tokens+float64(now-b.at)/1e9*rate)
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// buckets is one for each key. Beyond the bound it begins anew, and some may get more than their share once.
type buckets[K comparable] map[K]*bucket

const maxBuckets = 4096

func (bs buckets[K]) take(key K, rate float64, now uint64) bool {
	b := bs[key]
	if b == nil {
		if len(bs) >= maxBuckets {
			clear(bs)
		}
		b = &bucket{}
		bs[key] = b
	}
	return b.take(rate, now)
}
