// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.virtio4j.harness.GuestResult;

/**
 * A guest that has ended.
 *
 * @param result what the launcher says of it
 * @param lines all that the guest sent over its console
 */
record Booted(GuestResult result, List<String> lines) {

    private static final Pattern FAULT = Pattern.compile("^\\[[^a-z]*\\] virtio_iommu virtio\\d+: (.* fault .*)");

    String fact(String name) {
        return result.facts().fact(name);
    }

    /** What a fact of a virtio device says; the device is known by its function. */
    String device(String function, String fact) {
        return result.facts().all().entrySet().stream()
                .filter(entry -> entry.getKey().endsWith("/function") && entry.getValue().equals(function))
                .map(entry -> fact(entry.getKey().replace("/function", "/" + fact)))
                .findFirst().orElse("");
    }

    /** What a fact of a function's IOMMU group says. */
    String group(String function, String fact) {
        return fact("group/" + fact("pci/" + function + "/group") + "/" + fact);
    }

    /** How Linux reported faults of DMA, in order. */
    List<String> faults() {
        return lines.stream().map(FAULT::matcher).filter(Matcher::find).map(found -> found.group(1)).toList();
    }

    void assertDone() {
        assertEquals(Optional.empty(), result.trouble());
    }

    /** Linux prints bit 0 first. */
    void assertFeatures(String function, int... bits) {
        String features = device(function, "features");
        for (int bit : bits) {
            assertEquals('1', features.charAt(bit), function + ": bit " + bit + " of " + features);
        }
    }
}
