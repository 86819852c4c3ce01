// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.virtio4j.benchmarks.peers.input.KeyLayout;

class PeerTableTest {

    static Stream<PeerTable> tables() {
        return Stream.of(new OurTable(1000), new JavaTreeMap());
    }

    @ParameterizedTest
    @MethodSource("tables")
    void shouldRefuseWhatOverlaps(PeerTable table) {
        assertTrue(table.insert(0x2000, 0x4fff, 0));
        assertFalse(table.insert(0x2000, 0x4fff, 0));
        assertFalse(table.insert(0x4000, 0x5fff, 0));
        assertFalse(table.insert(0x1000, 0x2fff, 0));
        assertFalse(table.insert(0x3000, 0x3fff, 0));
        assertTrue(table.insert(0x5000, 0x5fff, 0));
    }

    @ParameterizedTest
    @MethodSource("tables")
    void shouldRemoveNothingWhenAMappingWouldBeSplit(PeerTable table) {
        assertTrue(table.insert(0x1000, 0x1fff, 0));
        assertTrue(table.insert(0x2000, 0x4fff, 0x8000));
        assertEquals(0, table.remove(0x1000, 0x2fff));
        assertEquals(0, table.remove(0x4000, 0x9fff));
        assertEquals(0, table.remove(0x3000, 0x3fff));
        assertEquals(0x8123, table.translate(0x2123));
        assertEquals(2, table.remove(0, 0x9fff));
        assertEquals(0, table.translate(0x2123));
    }

    @ParameterizedTest
    @MethodSource("tables")
    void shouldRemoveOneOrAll(PeerTable table) {
        for (long page = 0; page < 100; page++) {
            assertTrue(table.insert(page << 13, (page << 13) + 0xfff, page << 12));
        }
        assertEquals(1, table.remove(5 << 13, (5 << 13) + 0xfff));
        assertEquals(0, table.remove(5 << 13, (5 << 13) + 0xfff));
        assertEquals(99, table.removeAll());
        assertEquals(0, table.removeAll());
    }

    @ParameterizedTest
    @MethodSource("tables")
    void shouldPassItsOwnCheckAfterAllKindsOfWork(PeerTable table) {
        PeerWork work = new PeerWork(KeyLayout.MIXED.keys(1000), table);
        long sum = work.check();
        work.lookUp();
        work.pair();
        work.walk();
        work.removeAll();
        work.fill();
        assertEquals(sum, work.check());
        assertEquals(new PeerWork(KeyLayout.MIXED.keys(1000), new JavaTreeMap()).check(), sum);
    }
}
