// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.input;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KeyLayoutTest {

    @ParameterizedTest
    @EnumSource
    void shouldMakeMappingsThatDoNotTouch(KeyLayout workload) {
        Keys keys = workload.keys(1000);
        NavigableMap<Long, Long> mappings = mappings(keys);
        assertEquals(1000, mappings.size());
        long end = 0;
        for (Map.Entry<Long, Long> mapping : mappings.entrySet()) {
            assertTrue(mapping.getKey() > end + 1 && mapping.getKey() % 4096 == 0, mapping.toString());
            end = mapping.getValue();
            assertEquals(4095, end % 4096);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldLookUpOnlyWhatIsMappedInWholeChunks(KeyLayout workload) {
        Keys keys = workload.keys(1000);
        NavigableMap<Long, Long> mappings = mappings(keys);
        assertEquals(0, keys.addresses().length % KeyFile.CHUNK);
        for (long address : keys.addresses()) {
            assertTrue(mappings.headMap(address, true).lastEntry().getValue() >= address, Long.toHexString(address));
        }
    }

    private static NavigableMap<Long, Long> mappings(Keys keys) {
        NavigableMap<Long, Long> mappings = new TreeMap<>();
        for (int i = 0; i < keys.count(); i++) {
            mappings.put(keys.first()[i], keys.last()[i]);
        }
        return mappings;
    }
}
