// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.plan;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What a thread that polls does while there is nothing to do, from the quickest to the thriftiest. */
public enum Idling {

    /** Looks again at once, and keeps a processor for itself. */
    SPIN,

    /** Yields the processor to other threads, and uses it when none wants it. */
    YIELD,

    /** Spins and yields a few times, then parks for longer and longer, up to a millisecond. */
    BACKOFF,

    /** Parks for as short a time as the host can: some 50 µs on Linux. */
    SLEEP;

    /**
     * Reads a word of a configuration.
     *
     * @param text a word in small letters
     * @return the value that it names
     * @throws IllegalArgumentException if it names none
     */
    public static Idling of(String text) {
        return Arrays.stream(values()).filter(idling -> idling.word().equals(text)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("expected " + words() + ", found '" + text + "'"));
    }

    /**
     * The word of a configuration.
     *
     * @return in small letters
     */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    private static String words() {
        List<String> words = Arrays.stream(values()).map(Idling::word).toList();
        return String.join(", ", words.subList(0, words.size() - 1)) + " or " + words.getLast();
    }
}
