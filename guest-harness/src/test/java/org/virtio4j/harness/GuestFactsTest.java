// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.virtio4j.harness.console.ConsoleLine;

class GuestFactsTest {

    private final GuestFacts facts = new GuestFacts();

    /** Lines of a guest that went on for minutes, and said now and then that it was stuck. */
    @Test
    void shouldHearTheWholeTraceOfACrash() {
        hear("[    2.424025] list_add corruption. prev->next should be next (ffff8daf1f2351e8)",
                "[    2.424490] kernel BUG at lib/list_debug.c:32!",
                "[    2.425868] Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
                "[    2.428836]  __hvc_poll+0x27d/0x3f0");
        assertFalse(facts.hasCrashed());
        hear("[    2.429617] ---[ end trace 0000000000000000 ]---");
        assertTrue(facts.hasCrashed());
        assertEquals(Optional.of("kernel BUG at lib/list_debug.c:32!"), facts.crash());
        assertTrue(facts.lastLines().getLast().contains("end trace"));
    }

    @Test
    void shouldNotTakeAWarningForACrash() {
        hear("[    1.000000] WARNING: CPU: 0 PID: 1 at kernel/smp.c:1", "[    1.000001] ---[ end trace 0 ]---");
        assertFalse(facts.hasCrashed());
        assertEquals(Optional.empty(), facts.crash());
    }

    private void hear(String... lines) {
        List.of(lines).forEach(line -> facts.add(ConsoleLine.of(line)));
    }
}
