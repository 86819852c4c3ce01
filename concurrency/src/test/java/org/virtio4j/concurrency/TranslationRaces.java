// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;
import static org.virtio4j.concurrency.Guest.DISK;
import static org.virtio4j.concurrency.Guest.FIRST;
import static org.virtio4j.concurrency.Guest.IOVA;
import static org.virtio4j.concurrency.Guest.NEWER_PAGE;
import static org.virtio4j.concurrency.Guest.NEWEST_PAGE;
import static org.virtio4j.concurrency.Guest.NEW_PAGE;
import static org.virtio4j.concurrency.Guest.NIC;
import static org.virtio4j.concurrency.Guest.OLD_PAGE;
import static org.virtio4j.concurrency.Guest.OTHER;
import static org.virtio4j.concurrency.Guest.PAGE;
import static org.virtio4j.concurrency.Guest.SECOND;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/**
 * A device that looks twice within one section, beside a driver that changes what its addresses mean and uses for
 * something else what it has taken away. The numbers are {@link PageMarks}; the third is what a look finds afterwards.
 */
public final class TranslationRaces {

    private TranslationRaces() {
    }

    /** What all of them share: the device's side. */
    abstract static class Scene {

        final Guest guest = Guest.take();

        void lookTwice(III_Result result, long first, long second) {
            guest.enter();
            result.r1 = guest.look(first);
            result.r2 = guest.look(second);
            guest.leave();
        }

        int lookAndGiveBack() {
            guest.enter();
            int seen = guest.look(IOVA);
            guest.leave();
            guest.giveBack();
            return seen;
        }
    }

    /** Two mappings come in the order of their requests, and do not go away again. */
    @JCStressTest
    @Outcome(id = {"0, 0, 1", "0, 1, 1", "1, 1, 1"}, expect = ACCEPTABLE, desc = "before, across or after the MAPs")
    @Outcome(expect = FORBIDDEN, desc = "a mapping came too early, went again, or was not there in the end")
    @State
    public static class Map extends Scene {

        @Actor
        public void device(III_Result result) {
            lookTwice(result, OTHER, IOVA);
        }

        @Actor
        public void driver() {
            guest.mapBoth(FIRST, OLD_PAGE);
        }

        @Arbiter
        public void after(III_Result result) {
            result.r3 = lookAndGiveBack();
        }
    }

    /** Section 5.13.6.6: once the UNMAP is complete, the device does not reach the page. */
    @JCStressTest
    @Outcome(id = {"1, 1, 0", "1, 0, 0", "0, 1, 0", "0, 0, 0"}, expect = ACCEPTABLE, desc = "each there or gone")
    @Outcome(expect = FORBIDDEN, desc = "a page was reached that had been unmapped")
    @State
    public static class Unmap extends Scene {

        public Unmap() {
            guest.mapBoth(FIRST, OLD_PAGE);
        }

        @Actor
        public void device(III_Result result) {
            lookTwice(result, IOVA, OTHER);
        }

        @Actor
        public void driver() {
            guest.unmap(FIRST, IOVA, OTHER + PAGE - IOVA);
            guest.sync();
            guest.mark(OLD_PAGE, PageMarks.POISON);
        }

        @Arbiter
        public void after(III_Result result) {
            result.r3 = lookAndGiveBack();
        }
    }

    /** An UNMAP that would split a mapping changes nothing, not even for a moment. */
    @JCStressTest
    @Outcome(id = "1, 2, 1", expect = ACCEPTABLE, desc = "as if there had been no request")
    @Outcome(expect = FORBIDDEN, desc = "a refused request had an effect")
    @State
    public static class RefusedSplit extends Scene {

        private int refused;

        public RefusedSplit() {
            guest.map(FIRST, IOVA, PAGE, OLD_PAGE);
            guest.map(FIRST, OTHER, 2 * PAGE, NEW_PAGE);
            guest.sync();
        }

        @Actor
        public void device(III_Result result) {
            lookTwice(result, IOVA, OTHER);
        }

        @Actor
        public void driver() {
            guest.unmap(FIRST, IOVA, OTHER + PAGE - IOVA);
            guest.unmap(FIRST, OTHER + PAGE, PAGE);
            refused = guest.syncRefused();
        }

        @Arbiter
        public void after(III_Result result) {
            int seen = lookAndGiveBack();
            result.r3 = refused == 2 ? seen : -refused;
        }
    }

    /** After a DETACH the bypass byte decides, and what the domain mapped is out of reach. */
    @JCStressTest
    @Outcome(id = {"1, 1, 8", "1, 8, 8", "8, 8, 8"}, expect = ACCEPTABLE, desc = "before, across or after the DETACH")
    @Outcome(expect = FORBIDDEN, desc = "neither the domain nor the bypass, or the domain after its end")
    @State
    public static class Detach extends Scene {

        public Detach() {
            guest.mapBoth(FIRST, OLD_PAGE);
        }

        @Actor
        public void device(III_Result result) {
            lookTwice(result, IOVA, OTHER);
        }

        @Actor
        public void driver() {
            guest.detach(DISK);
            guest.mark(OLD_PAGE, PageMarks.POISON);
        }

        @Arbiter
        public void after(III_Result result) {
            result.r3 = lookAndGiveBack();
        }
    }

    /** Once an endpoint is unplugged, its device does not reach the page, nor anything by a bypass. */
    @JCStressTest
    @Outcome(id = {"1, 1, 0", "1, 0, 0", "0, 0, 0"}, expect = ACCEPTABLE, desc = "before, across or after the unplug")
    @Outcome(expect = FORBIDDEN, desc = "a page was reached through an endpoint that had gone")
    @State
    public static class Unplug extends Scene {

        public Unplug() {
            guest.mapBoth(FIRST, OLD_PAGE);
        }

        @Actor
        public void device(III_Result result) {
            lookTwice(result, IOVA, OTHER);
        }

        @Actor
        public void host() {
            guest.unplugDisk();
            guest.mark(OLD_PAGE, PageMarks.POISON);
        }

        @Arbiter
        public void after(III_Result result) {
            guest.enter();
            result.r3 = guest.look(IOVA);
            guest.leave();
            guest.plugDisk();
            guest.giveBack();
        }
    }

    /** Section 5.13.4: once the bypass byte is 0, an endpoint without a domain reaches nothing. */
    @JCStressTest
    @Outcome(id = {"8, 8, 0", "8, 0, 0", "0, 0, 0"}, expect = ACCEPTABLE, desc = "before, across or after the write")
    @Outcome(expect = FORBIDDEN, desc = "memory was reached by a bypass that had ended")
    @State
    public static class BypassEnds extends Scene {

        public BypassEnds() {
            guest.detach(DISK);
        }

        @Actor
        public void device(III_Result result) {
            lookTwice(result, IOVA, OTHER);
        }

        @Actor
        public void driver() {
            guest.writeBypass(0);
            guest.mark(IOVA, PageMarks.POISON);
            guest.mark(OTHER, PageMarks.POISON);
        }

        @Arbiter
        public void after(III_Result result) {
            result.r3 = lookAndGiveBack();
        }
    }

    /** Section 5.13.6.3: an endpoint that moves is in the old domain or in the new one, never in bypass in between. */
    @JCStressTest
    @Outcome(id = {"1, 1, 2", "1, 2, 2", "2, 2, 2"}, expect = ACCEPTABLE, desc = "before, across or after the ATTACH")
    @Outcome(expect = FORBIDDEN, desc = "neither the old domain nor the new one, or the old one after its end")
    @State
    public static class MovingAttach extends Scene {

        public MovingAttach() {
            guest.attach(SECOND, NIC);
            guest.mapBoth(FIRST, OLD_PAGE);
            guest.mapBoth(SECOND, NEW_PAGE);
        }

        @Actor
        public void device(III_Result result) {
            lookTwice(result, IOVA, OTHER);
        }

        @Actor
        public void driver() {
            guest.attach(SECOND, DISK);
            guest.mark(OLD_PAGE, PageMarks.POISON);
        }

        @Arbiter
        public void after(III_Result result) {
            result.r3 = lookAndGiveBack();
        }
    }

    /**
     * An endpoint that moves to more domains within one batch than the device keeps ready, so that the first ones serve
     * again. A section that saw one of those must have ended before.
     */
    @JCStressTest
    @Outcome(id = {"1, 1, 4", "1, 0, 4", "1, 2, 4", "1, 3, 4", "0, 0, 4", "0, 2, 4", "0, 3, 4", "0, 4, 4", "2, 2, 4",
        "2, 0, 4", "2, 3, 4", "3, 3, 4", "3, 0, 4", "3, 4, 4", "4, 4, 4"}, expect = ACCEPTABLE, desc = "in this order")
    @Outcome(expect = FORBIDDEN, desc = "a domain was reached that had ended, or began again under a reader")
    @State
    public static class DomainReuse extends Scene {

        public DomainReuse() {
            guest.mapBoth(FIRST, OLD_PAGE);
        }

        @Actor
        public void device(III_Result result) {
            lookTwice(result, IOVA, OTHER);
        }

        @Actor
        public void driver() {
            move(FIRST + 20, NEW_PAGE);
            move(FIRST + 21, NEWER_PAGE);
            move(FIRST + 22, NEWEST_PAGE);
            guest.sync();
            guest.mark(OLD_PAGE, PageMarks.POISON);
            guest.mark(NEW_PAGE, PageMarks.POISON);
            guest.mark(NEWER_PAGE, PageMarks.POISON);
        }

        private void move(int domain, long physical) {
            guest.queueAttach(domain, DISK);
            guest.queueMap(domain, OTHER, PAGE, physical);
            guest.queueMap(domain, IOVA, PAGE, physical);
        }

        @Arbiter
        public void after(III_Result result) {
            result.r3 = lookAndGiveBack();
        }
    }

    /**
     * Mappings that fill several nodes go, and as many others come, in the same nodes. The device looks for one of the
     * old ones and then for one of the new.
     */
    @JCStressTest
    @Outcome(id = {"1, 0, 0", "0, 0, 0", "0, 2, 0"}, expect = ACCEPTABLE, desc = "before, across or after the change")
    @Outcome(expect = FORBIDDEN, desc = "a node was used again under the eyes of a reader")
    @State
    public static class NodeReuse extends Scene {

        private static final int MAPPINGS = 40;
        private static final long SPACING = 3 * PAGE;
        private static final long NEW_ONES = IOVA + PAGE;

        public NodeReuse() {
            mapAll(IOVA, OLD_PAGE);
        }

        @Actor
        public void device(III_Result result) {
            lookTwice(result, IOVA, NEW_ONES);
        }

        @Actor
        public void driver() {
            guest.unmap(FIRST, IOVA, MAPPINGS * SPACING);
            guest.sync();
            guest.mark(OLD_PAGE, PageMarks.POISON);
            mapAll(NEW_ONES, NEW_PAGE);
        }

        private void mapAll(long iova, long physical) {
            for (int i = 0; i < MAPPINGS; i++) {
                guest.map(FIRST, iova + i * SPACING, PAGE, physical);
            }
            guest.sync();
        }

        @Arbiter
        public void after(III_Result result) {
            result.r3 = lookAndGiveBack();
        }
    }

    /** A reset takes everything away; an endpoint that was attached is blocked, not in bypass. */
    @JCStressTest
    @Outcome(id = {"1, 1, 0", "1, 0, 0", "0, 0, 0"}, expect = ACCEPTABLE, desc = "before, across or after the reset")
    @Outcome(expect = FORBIDDEN, desc = "a page was reached after the reset, or past the IOMMU")
    @State
    public static class Reset extends Scene {

        public Reset() {
            guest.mapBoth(FIRST, OLD_PAGE);
        }

        @Actor
        public void device(III_Result result) {
            lookTwice(result, IOVA, OTHER);
        }

        @Actor
        public void driver() {
            guest.reset();
            guest.mark(OLD_PAGE, PageMarks.POISON);
        }

        @Arbiter
        public void after(III_Result result) {
            guest.enter();
            result.r3 = guest.look(IOVA);
            guest.leave();
            guest.start();
            guest.giveBack();
        }
    }
}
