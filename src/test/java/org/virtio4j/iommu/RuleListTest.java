// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URISyntaxException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * What section 5.13 of virtio 1.4 asks of a device, numbered in the order of the text, and a check that each rule has a
 * test that names it. "Is" stands where the text describes and demands nothing; those rules and what a device may do
 * are tested for what this one has chosen to do.
 */
class RuleListTest {

    private static final String RULES = """
            5.13.3 rule 1: should offer MAP_UNMAP
            5.13.3 rule 2: should not offer legacy BYPASS, nor both BYPASS bits
            5.13.4 rule 3: must set a bit of page_size_mask; may set more, as hints
            5.13.4 rule 4: may start with bypass = 1
            5.13.4 rule 5: bypass should survive a device reset and be restored by a system reset
            5.13.4 rule 6: must not show a bypass other than 0 and 1
            5.13.5 rule 7: after a reset nothing is attached; bypass counts although the driver does not accept it
            5.13.6 rule 8: should answer OK on success
            5.13.6 rule 9: should not write the buffer of an unknown type; used length 0
            5.13.6 rule 10: must ignore reserved bytes of the head, should zero those of the tail
            5.13.6 rule 11: a request too small to parse is returned unwritten
            5.13.6 rule 12: should let nobody reach memory who is attached to nothing and not in bypass
            5.13.6 rule 13: in bypass every access is allowed and an address means itself
            5.13.6.3 rule 14: must reject ATTACH with reserved bytes set, INVAL
            5.13.6.3 rule 15: must reject ATTACH with an unknown flag, INVAL
            5.13.6.3 rule 16: must reject ATTACH of an endpoint that does not exist, NOENT
            5.13.6.3 rule 17: may attach several endpoints to a domain, else UNSUPP
            5.13.6.3 rule 18: should reject ATTACH whose BYPASS flag disagrees with the domain, INVAL
            5.13.6.3 rule 19: should detach first what is attached elsewhere, else UNSUPP
            5.13.6.3 rule 20: should reject ATTACH with incompatible properties, UNSUPP
            5.13.6.3 rule 21: must attach what it does not reject; domains begin and end with their endpoints
            5.13.6.4 rule 22: must ignore reserved bytes of DETACH
            5.13.6.4 rule 23: must reject DETACH of an endpoint that does not exist, NOENT
            5.13.6.4 rule 24: may reject DETACH from a domain that does not hold the endpoint, INVAL
            5.13.6.4 rule 25: must see to it that a detached endpoint reaches no mapping of the domain
            5.13.6.5 rule 26: should reject MAP that is not aligned to the granule, RANGE
            5.13.6.5 rule 27: should reject MAP where something is mapped, INVAL
            5.13.6.5 rule 28: must reject MAP with an unknown flag, INVAL
            5.13.6.5 rule 29: should reject MAP in a domain that does not exist, NOENT
            5.13.6.5 rule 30: should reject MAP in a bypass domain, INVAL
            5.13.6.5 rule 31: must not allow writes without WRITE; may allow reads with WRITE alone
            5.13.6.5 rule 32: MAP outside of input_range fails
            5.13.6.6 rule 33: may reject UNMAP with reserved bytes set, INVAL
            5.13.6.6 rule 34: should reject UNMAP in a domain that does not exist, NOENT
            5.13.6.6 rule 35: should reject UNMAP in a bypass domain, INVAL
            5.13.6.6 rule 36: should reject UNMAP that would split a mapping, RANGE, and remove nothing
            5.13.6.6 rule 37: should remove every mapping inside the range otherwise, gaps or not
            5.13.6.7 rule 38: must ignore reserved bytes of PROBE
            5.13.6.7 rule 39: should reject PROBE of an endpoint that does not exist, NOENT
            5.13.6.7 rule 40: without the feature PROBE is an unknown type
            5.13.6.7 rule 41: should zero the reserved bits of a property
            5.13.6.7 rule 42: must write the length of a property, and put the next one behind it
            5.13.6.7 rule 43: should reject PROBE with less room than probe_size, INVAL, and write no property
            5.13.6.7 rule 44: should zero what is left of the properties
            5.13.6.8.1 rule 45: should zero the reserved bytes of RESV_MEM
            5.13.6.8.1 rule 46: should show one MSI region at most
            5.13.6.8.1 rule 47: should show no regions that overlap
            5.13.6.8.1 rule 48: should reject MAP that touches a region
            5.13.6.8.1 rule 49: should let accesses to a region affect nobody else
            5.13.6.9 rule 50: should zero reserved fields and undefined flags of a report
            5.13.6.9 rule 51: should name a valid endpoint; may leave the address out
            5.13.6.9 rule 52: should not spread a report over buffers
            5.13.6.9 rule 53: may wait or drop when there is no buffer
            """;

    private static final Pattern RULE = Pattern.compile("(5\\.13\\.[0-9.]+) rules? ([0-9]+)");

    @Test
    void shouldHaveTestForEachRule() throws IOException, URISyntaxException, ClassNotFoundException {
        Map<Integer, String> missing = rules(RULES);
        assertEquals(53, missing.size());
        Set<String> unknown = new TreeSet<>();
        Path classes = Path.of(RuleListTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        Path own = classes.resolve("org/virtio4j/iommu");
        try (DirectoryStream<Path> files = Files.newDirectoryStream(own, "*Test.class")) {
            for (Path file : files) {
                String name = file.getFileName().toString().replace(".class", "");
                for (Method method : Class.forName("org.virtio4j.iommu." + name).getDeclaredMethods()) {
                    DisplayName display = method.getAnnotation(DisplayName.class);
                    rules(display == null ? "" : display.value()).forEach((number, section) -> {
                        if (!section.equals(rules(RULES).get(number))) {
                            unknown.add(section + " rule " + number);
                        }
                        missing.remove(number);
                    });
                }
            }
        }
        assertEquals(Map.of(), missing);
        assertEquals(Set.of(), unknown);
    }

    /** The rules that a text names, with their sections. */
    private static Map<Integer, String> rules(String text) {
        Map<Integer, String> named = new TreeMap<>();
        Matcher matcher = RULE.matcher(text);
        while (matcher.find()) {
            named.put(Integer.valueOf(matcher.group(2)), matcher.group(1));
        }
        return named;
    }
}
