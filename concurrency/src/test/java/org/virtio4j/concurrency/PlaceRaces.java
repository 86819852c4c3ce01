// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import org.virtio4j.vmm.GuestMemory;

/**
 * A reader of a table whose nodes are changed in place. What it could get wrong lies between two loads, a matter of
 * nanoseconds, so this is run with look-ups left to the interpreter.
 */
public final class PlaceRaces {

    private static final long PAGE = GuestMemory.PAGE_SIZE;

    private PlaceRaces() {
    }

    /**
     * One mapping goes and another comes without a grace period in between. Whoever looks for the first finds it whole
     * or not at all.
     */
    @JCStressTest
    @Outcome(id = {"0", "1"}, expect = ACCEPTABLE, desc = "never there, or there as it was")
    @Outcome(expect = FORBIDDEN, desc = "a mix of two mappings")
    @State
    public static class Reuse {

        private static final int OTHERS = 8;

        private final TableAndReader desk = TableAndReader.take();

        /** Others keep the node busy, or it would go with its only mapping. */
        public Reuse() {
            for (int i = 0; i < OTHERS; i++) {
                desk.map((20 + i) * PAGE, (20 + i) * PAGE);
            }
        }

        @Actor
        public void reader(I_Result result) {
            int worst = PageMarks.NOWHERE;
            do {
                desk.reader.enter();
                if (desk.find(PAGE)) {
                    worst = Math.max(worst, desk.found(PAGE, 3 * PAGE) ? PageMarks.OLD : PageMarks.POISON);
                }
                desk.reader.leave();
            } while (desk.done() < TableAndReader.CHANGES);
            result.r1 = worst;
        }

        @Actor
        public void writer() {
            for (long change = 1; change <= TableAndReader.CHANGES; change++) {
                desk.map(PAGE, 3 * PAGE);
                desk.unmap(PAGE);
                desk.map(2 * PAGE, 7 * PAGE);
                desk.unmap(2 * PAGE);
                desk.await();
                desk.done(change);
                desk.space.reclaim();
            }
        }

        @Arbiter
        public void after() {
            desk.giveBack();
        }
    }
}
