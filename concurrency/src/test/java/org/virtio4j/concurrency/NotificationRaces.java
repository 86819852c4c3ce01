// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.virtio4j.device.transport.InterruptStatus;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.queue.Chain;
import org.virtio4j.queue.QueueSettings;
import org.virtio4j.queue.SplitQueue;
import org.virtio4j.vmm.GuestMemory;

/**
 * Driver and device of one ring, each about to wait for the other: it says that it wants to be told and looks once
 * more, while the other adds something and looks whether it is wanted. One of the two must notice (sections 2.7.7 and
 * 2.7.10).
 */
public final class NotificationRaces {

    private NotificationRaces() {
    }

    /** A ring with both of its ends and one buffer. */
    static final class Ring {

        private static final Pool<Ring> WITH_FLAGS = new Pool<>(() -> new Ring(false));
        private static final Pool<Ring> WITH_EVENT_IDX = new Pool<>(() -> new Ring(true));
        private static final int SIZE = 2;
        private static final long BYTES = 4 * GuestMemory.PAGE_SIZE;

        private final Pool<Ring> home;
        private final DriverQueue driver;
        private final SplitQueue device;
        private final Chain chain = new Chain();
        private final long buffer;

        private Ring(boolean eventIdx) {
            home = eventIdx ? WITH_EVENT_IDX : WITH_FLAGS;
            GuestMemory memory = GuestMemory.anonymous(0, BYTES);
            GuestRam ram = new GuestRam(memory, 0, BYTES);
            QueueMemory parts = QueueMemory.pageAligned(ram, SIZE);
            buffer = ram.allocate(Long.BYTES, Long.BYTES);
            driver = new DriverQueue(0, parts, eventIdx);
            device = new SplitQueue(new QueueSettings(SIZE, parts.descriptorTable().address(),
                    parts.availableRing().address(), parts.usedRing().address(), false, eventIdx, false),
                    DmaSpace.identity(memory).open("device"));
        }

        /** A ring that nothing is in; neither end wants to be told of anything. */
        static Ring take(boolean eventIdx) {
            Ring ring = (eventIdx ? WITH_EVENT_IDX : WITH_FLAGS).take();
            ring.driver.disableUsedNotifications();
            ring.device.disableNotifications();
            return ring;
        }

        void add() {
            require(driver.add(0, 0, 0, buffer, Long.BYTES));
        }

        /** Shows what was added without asking whether that is wanted. */
        void show() {
            driver.publish();
        }

        void serve() {
            device.enter();
            require(device.poll(chain));
            device.complete(chain);
            device.leave();
        }

        void takeBack() {
            require(driver.poll());
        }

        void giveBack() {
            home.give(this);
        }

        private static void require(boolean holds) {
            if (!holds) {
                throw new IllegalStateException("the race was not set up as it should be");
            }
        }
    }

    /** The device has served something while the driver goes to sleep. */
    abstract static class Interrupt {

        final Ring ring;

        Interrupt(boolean eventIdx) {
            ring = Ring.take(eventIdx);
            ring.add();
            ring.show();
            ring.driver.kickNeeded();
            ring.serve();
        }

        void publish(ZZ_Result result) {
            result.r1 = ring.device.publish();
        }

        void sleep(ZZ_Result result) {
            result.r2 = ring.driver.enableUsedNotifications();
        }

        void clear() {
            ring.takeBack();
            ring.giveBack();
        }
    }

    /** The driver has added something while the device goes to sleep. */
    abstract static class Kick {

        final Ring ring;

        Kick(boolean eventIdx) {
            ring = Ring.take(eventIdx);
            ring.add();
        }

        void sleep(ZZ_Result result) {
            result.r1 = ring.device.enableNotifications();
        }

        void publish(ZZ_Result result) {
            ring.driver.publish();
            result.r2 = ring.driver.kickNeeded();
        }

        void clear() {
            ring.serve();
            ring.device.publish();
            ring.takeBack();
            ring.giveBack();
        }
    }

    /** An interrupt, as the flags of the available ring ask for it. */
    @JCStressTest
    @Outcome(id = {"true, true", "true, false", "false, true"}, expect = ACCEPTABLE, desc = "one of them noticed")
    @Outcome(expect = FORBIDDEN, desc = "the driver sleeps and nobody wakes it")
    @State
    public static class InterruptByFlags extends Interrupt {

        public InterruptByFlags() {
            super(false);
        }

        @Actor
        public void device(ZZ_Result result) {
            publish(result);
        }

        @Actor
        public void driver(ZZ_Result result) {
            sleep(result);
        }

        @Arbiter
        public void after() {
            clear();
        }
    }

    /** An interrupt, as {@code used_event} asks for it. */
    @JCStressTest
    @Outcome(id = {"true, true", "true, false", "false, true"}, expect = ACCEPTABLE, desc = "one of them noticed")
    @Outcome(expect = FORBIDDEN, desc = "the driver sleeps and nobody wakes it")
    @State
    public static class InterruptByEvent extends Interrupt {

        public InterruptByEvent() {
            super(true);
        }

        @Actor
        public void device(ZZ_Result result) {
            publish(result);
        }

        @Actor
        public void driver(ZZ_Result result) {
            sleep(result);
        }

        @Arbiter
        public void after() {
            clear();
        }
    }

    /** A kick, as the flags of the used ring ask for it. */
    @JCStressTest
    @Outcome(id = {"true, true", "true, false", "false, true"}, expect = ACCEPTABLE, desc = "one of them noticed")
    @Outcome(expect = FORBIDDEN, desc = "the device sleeps and nobody wakes it")
    @State
    public static class KickByFlags extends Kick {

        public KickByFlags() {
            super(false);
        }

        @Actor
        public void device(ZZ_Result result) {
            sleep(result);
        }

        @Actor
        public void driver(ZZ_Result result) {
            publish(result);
        }

        @Arbiter
        public void after() {
            clear();
        }
    }

    /** A kick, as {@code avail_event} asks for it. */
    @JCStressTest
    @Outcome(id = {"true, true", "true, false", "false, true"}, expect = ACCEPTABLE, desc = "one of them noticed")
    @Outcome(expect = FORBIDDEN, desc = "the device sleeps and nobody wakes it")
    @State
    public static class KickByEvent extends Kick {

        public KickByEvent() {
            super(true);
        }

        @Actor
        public void device(ZZ_Result result) {
            sleep(result);
        }

        @Actor
        public void driver(ZZ_Result result) {
            publish(result);
        }

        @Arbiter
        public void after() {
            clear();
        }
    }

    /** Section 4.1.4.5.1: the pin is high exactly while the interrupt status says so. */
    @JCStressTest
    @Outcome(id = {"true, true", "false, false"}, expect = ACCEPTABLE, desc = "the pin is as the status says")
    @Outcome(expect = FORBIDDEN, desc = "the pin stays where it should not be")
    @State
    public static class Pin {

        private boolean level;
        private final InterruptStatus status = new InterruptStatus(high -> level = high, () -> true);

        @Actor
        public void device() {
            status.raise(1);
        }

        @Actor
        public void driver() {
            status.take();
        }

        @Arbiter
        public void after(ZZ_Result result) {
            result.r1 = level;
            result.r2 = status.bits() != 0;
        }
    }
}
