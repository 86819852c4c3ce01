// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.fixture.WhenServed;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.vmm.Access;

/** Observers of an IOMMU: what they hear, in which order, and that what they throw harms nothing. */
class IommuListenerTest extends IommuTests {

    private static final int NEEDS_RESET = 64;

    private final List<String> heard = new ArrayList<>();

    @Test
    @DisplayName("Listeners are told in the order in which the builder got them")
    void shouldTellEachInOrder() {
        IommuMachine machine = start(iommu()
                .listener(WhenServed.does((type, status, removed) -> heard.add("first " + type)))
                .listener(WhenServed.does((type, status, removed) -> heard.add("second " + type))));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertEquals(List.of("first 1", "second 1", "first 3", "second 3"), heard);
        assertEquals(0, machine.iommu().counters().listenerFailures());
        assertEquals(Optional.empty(), machine.iommu().counters().lastListenerFailure());
    }

    @Test
    @DisplayName("What a request removed is told with it, also where a domain ended")
    void shouldSayWhatARequestRemoved() {
        IommuMachine machine = start(iommu()
                .listener(WhenServed.does((type, status, removed) -> heard.add(type + " removed " + removed))));
        machine.ok(Requests.attach(ONE, DISK));
        for (int page = 1; page <= 3; page++) {
            machine.ok(Requests.map(ONE, page * 0x1000L, page * 0x1000L + 0xfff, 0x8000));
        }
        machine.ok(Requests.unmap(ONE, 0x1000, 0x1fff));
        machine.ok(Requests.detach(ONE, DISK));
        assertEquals(List.of("1 removed 0", "3 removed 0", "3 removed 0", "3 removed 0", "4 removed 1",
                "2 removed 2"), heard);
        assertEquals(1, machine.iommu().counters().removedMappings());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("An observer that throws at everything is counted; requests, faults and resets go on")
    void shouldGoOnWhenAnObserverAlwaysThrows(boolean error) {
        Throwing throwing = new Throwing(error);
        IommuMachine machine = start(iommu().bootBypass(false).listener(throwing)
                .listener(WhenServed.does((type, status, removed) -> heard.add("served " + type))));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        machine.see(DISK, 0x5000, Access.READ);
        machine.ok(Requests.unmap(ONE, 0x1000, 0x1fff));
        assertEquals(List.of("served 1", "served 3", "served 4"), heard);
        assertEquals(0, machine.transport().status() & NEEDS_RESET);
        machine.reset(ResetKind.DEVICE);
        machine.start();
        machine.ok(Requests.attach(ONE, DISK));
        IommuCounters counters = machine.iommu().counters();
        assertEquals(throwing.calls, counters.listenerFailures());
        assertTrue(throwing.calls > 10, () -> throwing.calls + " calls");
        assertSame(throwing.last, counters.lastListenerFailure().orElseThrow());
        assertTrue(counters.toString().endsWith("; listener failures " + throwing.calls), counters::toString);
    }

    @Test
    @DisplayName("2.1.2: an error of the JVM is not the observer's: it comes out, and the IOMMU needs a reset")
    void shouldPassOnWhatTheJvmThrows() {
        OutOfMemoryError full = new OutOfMemoryError("a test");
        boolean[] fails = {false};
        IommuMachine machine = start(iommu().listener(WhenServed.does((type, status, removed) -> {
            if (fails[0]) {
                throw full;
            }
        })));
        machine.ok(Requests.attach(ONE, DISK));
        fails[0] = true;
        assertSame(full, assertThrows(OutOfMemoryError.class, () -> machine.ok(Requests.detach(ONE, DISK))));
        assertEquals(NEEDS_RESET, machine.transport().status() & NEEDS_RESET);
        assertEquals(0, machine.iommu().counters().listenerFailures());
        fails[0] = false;
        machine.reset(ResetKind.DEVICE);
        machine.start();
        machine.ok(Requests.attach(ONE, DISK));
    }

    @Test
    @DisplayName("The bytes of a request are kept for a listener that records, and for all if one does")
    void shouldShowTheBytesToWhoRecords() {
        byte[] request = Requests.attach(ONE, DISK);
        List<byte[]> seen = new ArrayList<>();
        IommuListener recorder = new IommuListener() {
            @Override
            public boolean recordsTraffic() {
                return true;
            }
        };
        start(iommu().listener(recorder).listener(bytesTo(seen))).ok(request);
        assertArrayEquals(request, seen.getFirst());
        IommuMachine machine = start(iommu().listener(bytesTo(seen)));
        machine.ok(request);
        assertEquals(1, seen.size());
        Throwable thrown = machine.iommu().counters().lastListenerFailure().orElseThrow();
        assertTrue(String.valueOf(thrown.getMessage()).startsWith("recordsTraffic=false"), thrown::toString);
    }

    @Test
    @DisplayName("One builder makes several devices, which share nothing but their listeners")
    void shouldBuildTwice() {
        VirtioIommuBuilder builder = iommu()
                .listener(WhenServed.does((type, status, removed) -> heard.add("served " + type)));
        IommuMachine one = start(builder);
        IommuMachine other = start(builder);
        one.ok(Requests.attach(ONE, DISK));
        one.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertEquals(1, one.iommu().liveMappings());
        assertEquals(0, other.iommu().liveMappings());
        assertEquals(0, other.iommu().liveDomains());
        other.ok(Requests.attach(TWO, DISK));
        assertEquals(List.of("served 1", "served 3", "served 1"), heard);
    }

    @Test
    @DisplayName("Where nobody records, a device whose access is refused does not wait for the requests being served")
    void shouldTellOfAFaultWhileRequestsAreServed() {
        CountDownLatch serving = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        IommuMachine machine = start(iommu().listener(WhenServed.does((type, status, removed) -> {
            serving.countDown();
            Threads.await(goOn);
        })).listener(new IommuListener() {
            @Override
            public void faulted(int endpoint, long iova, Access access) {
                heard.add("faulted " + endpoint + " " + iova + " " + access);
            }

            @Override
            public void reported(int reason, int flags, int endpoint, long address) {
                heard.add("reported " + endpoint + " " + address);
            }
        }));
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        machine.dma(NIC);
        Future<?> kick = Threads.start("kick", () -> machine.ok(Requests.attach(ONE, DISK)));
        Threads.await(serving);
        machine.touch(NIC, 0x5000, Access.READ);
        goOn.countDown();
        Threads.join(kick);
        assertEquals(List.of("faulted 9 20480 READ", "reported 9 20480"), heard);
    }

    private static IommuListener bytesTo(List<byte[]> seen) {
        return new IommuListener() {
            @Override
            public void served(ServedRequest request) {
                byte[] bytes = new byte[ServedRequest.MOST_BYTES];
                seen.add(Arrays.copyOf(bytes, request.copyReadable(bytes)));
            }
        };
    }

    /** Throws out of every method. */
    private static final class Throwing implements IommuListener {

        private final boolean error;
        private int calls;
        private Throwable last = new Throwable();

        Throwing(boolean error) {
            this.error = error;
        }

        private RuntimeException next() {
            calls++;
            if (error) {
                AssertionError thrown = new AssertionError("call " + calls);
                last = thrown;
                throw thrown;
            }
            RuntimeException thrown = new IllegalStateException("call " + calls);
            last = thrown;
            return thrown;
        }

        @Override
        public void negotiated(Features accepted) {
            throw next();
        }

        @Override
        public void activated(int requestQueueSize, int eventQueueSize) {
            throw next();
        }

        @Override
        public void reset(ResetKind kind) {
            throw next();
        }

        @Override
        public void bypassWritten(boolean on) {
            throw next();
        }

        @Override
        public void served(ServedRequest request) {
            throw next();
        }

        @Override
        public void batchPublished(int requests) {
            throw next();
        }

        @Override
        public void kicked() {
            throw next();
        }

        @Override
        public void faulted(int endpoint, long iova, Access access) {
            throw next();
        }

        @Override
        public void reported(int reason, int flags, int endpoint, long address) {
            throw next();
        }
    }
}
