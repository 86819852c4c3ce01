// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers.work;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.virtio4j.benchmarks.peers.input.KeyLayout;

class RequestWorkTest {

    private static final int MAPPINGS = 1000;

    private final RequestWork work = new RequestWork(KeyLayout.UNIFORM.keys(MAPPINGS));

    @Test
    void shouldMakeAndRemoveEveryMapping() {
        assertEquals(Integer.toString(MAPPINGS), work.answer("check", 0));
        assertEquals(Integer.toString(MAPPINGS), work.answer("check", 0));
    }

    @Test
    void shouldTimeOneRoundAtLeast() {
        assertTrue(Double.parseDouble(work.answer("map", 0)) > 0);
        assertTrue(Double.parseDouble(work.answer("unmap", 0)) > 0);
    }

    @Test
    void shouldRefuseOtherCommands() {
        assertThrows(IllegalArgumentException.class, () -> work.answer("lookup", 0));
    }
}
