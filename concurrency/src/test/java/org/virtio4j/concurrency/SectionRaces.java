// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;
import org.virtio4j.vmm.GuestMemory;

/**
 * A reader that enters a section and a writer that takes something away and waits, with nothing around them: what
 * counts here is the order of one store and one load on either side, and there is no other fence nearby that could make
 * up for a missing one. Each race is long.
 */
public final class SectionRaces {

    private static final long PAGE = GuestMemory.PAGE_SIZE;

    private SectionRaces() {
    }

    /**
     * A reader that is just entering: it finds nothing, or it is waited for. Both go on for a while, so that they meet
     * far more often than once a race. Each mapping tells by its physical address which change made it; whoever has
     * found it must not see its removal completed.
     */
    @JCStressTest
    @Outcome(id = {"0", "1"}, expect = ACCEPTABLE, desc = "found nothing, or was waited for")
    @Outcome(expect = FORBIDDEN, desc = "a mapping was used after it had been removed")
    @State
    public static class Entry {

        private final TableAndReader desk = TableAndReader.take();

        @Actor
        public void reader(I_Result result) {
            int worst = PageMarks.NOWHERE;
            do {
                desk.reader.enter();
                if (desk.find(PAGE)) {
                    TableAndReader.stay();
                    worst = Math.max(worst, desk.done() < desk.physStart / PAGE ? PageMarks.OLD : PageMarks.POISON);
                }
                desk.reader.leave();
            } while (desk.done() < TableAndReader.CHANGES);
            result.r1 = worst;
        }

        @Actor
        public void writer() {
            for (long change = 1; change <= TableAndReader.CHANGES; change++) {
                desk.map(PAGE, change * PAGE);
                TableAndReader.stay();
                desk.unmap(PAGE);
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

    /** Two threads that use one handle by mistake: they are never inside at the same time. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "one at a time")
    @Outcome(expect = FORBIDDEN, desc = "both were inside at once")
    @State
    public static class Claim {

        private static final int ENTRIES = 10_000;

        private final TableAndReader desk = TableAndReader.take();
        private final AtomicInteger inside = new AtomicInteger();

        @Actor
        public void one(II_Result result) {
            result.r1 = enterOften();
        }

        @Actor
        public void other(II_Result result) {
            result.r2 = enterOften();
        }

        private int enterOften() {
            int together = 0;
            for (int i = 0; i < ENTRIES; i++) {
                try {
                    desk.reader.enter();
                } catch (IllegalStateException taken) {
                    continue;
                }
                together |= inside.getAndIncrement();
                TableAndReader.stay();
                inside.getAndDecrement();
                try {
                    desk.reader.leave();
                } catch (IllegalStateException broken) {
                    together = 1;
                }
            }
            return together;
        }

        @Arbiter
        public void after() {
            desk.giveBack();
        }
    }

    /** The same as at first where what is taken away is all DMA at once. */
    @JCStressTest
    @Outcome(id = {"0", "1"}, expect = ACCEPTABLE, desc = "the gate was closed, or the section was waited for")
    @Outcome(expect = FORBIDDEN, desc = "the gate was closed for good during a section that found it open")
    @State
    public static class Gate {

        private final TableAndReader desk = TableAndReader.take();

        @Actor
        public void reader(I_Result result) {
            int worst = PageMarks.NOWHERE;
            do {
                desk.gated.enter();
                if (desk.gated.live()) {
                    long before = desk.done();
                    TableAndReader.stay();
                    worst = Math.max(worst, desk.done() == before ? PageMarks.OLD : PageMarks.POISON);
                }
                desk.gated.leave();
            } while (desk.done() < TableAndReader.CHANGES);
            result.r1 = worst;
        }

        @Actor
        public void writer() {
            for (long change = 1; change <= TableAndReader.CHANGES; change++) {
                desk.gate.open();
                TableAndReader.stay();
                desk.gate.close();
                desk.done(change);
            }
        }

        @Arbiter
        public void after() {
            desk.giveBack();
        }
    }
}
