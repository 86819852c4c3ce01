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
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;

/** A handle that remembers a translation while it is being taken away, with nothing around the two. */
public final class CacheRaces {

    private static final long PAGE = GuestMemory.PAGE_SIZE;

    private CacheRaces() {
    }

    /**
     * The handle finds a mapping in the table and keeps it, the writer removes it and makes the handle forget: whoever
     * comes second must clear the entry. Each mapping tells by its physical address which change made it. A section
     * that began when that change was over must not find it.
     */
    @JCStressTest
    @Outcome(id = {"0", "1"}, expect = ACCEPTABLE, desc = "found nothing, or what was still there")
    @Outcome(expect = FORBIDDEN, desc = "a mapping was remembered after it had been removed")
    @State
    public static class Keep {

        private final TableAndReader desk = TableAndReader.take();

        @Actor
        public void reader(I_Result result) {
            int worst = PageMarks.NOWHERE;
            do {
                desk.remembering.enter();
                long before = desk.done();
                if (desk.remembering.translate(PAGE, Access.READ, desk) == TranslateResult.OK) {
                    worst = Math.max(worst, before < desk.physStart / PAGE ? PageMarks.OLD : PageMarks.POISON);
                }
                desk.remembering.leave();
            } while (desk.done() < TableAndReader.CHANGES);
            result.r1 = worst;
        }

        @Actor
        public void writer() {
            for (long change = 1; change <= TableAndReader.CHANGES; change++) {
                desk.map(PAGE, change * PAGE);
                TableAndReader.stay();
                desk.unmap(PAGE);
                desk.forget(PAGE);
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
