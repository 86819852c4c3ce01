// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.device.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.DriverRing;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.fixture.GuestBytes;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.queue.MailboxQueue;
import org.virtio4j.queue.MailboxQueue.Used;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.DetachRequest;
import org.virtio4j.wire.iommu.FaultEvent;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.ProbeRequest;
import org.virtio4j.wire.iommu.RequestHead;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;
import org.virtio4j.wire.iommu.UnmapRequest;

/**
 * The IOMMU on a ring that has nothing in common with a split ring does, word for word, what it does on a split ring: a
 * device cannot tell what it runs on.
 */
class SecondRingTest {

    private static final int ENDPOINT = 8;
    private static final int DOMAIN = 5;
    private static final int REQUESTS = 0;
    private static final int EVENTS = 1;
    private static final int PROBE_SIZE = 512;

    /** The driver's end of one queue, whatever it is. */
    private interface Port {
        void post(int tag, Buffer... buffers);

        List<Used> take();
    }

    /** A ring whose heads are tags. */
    private static final class SplitPort implements Port {

        private final DriverRing ring;
        private int seen;

        SplitPort(DriverRing ring) {
            this.ring = ring;
        }

        @Override
        public void post(int tag, Buffer... buffers) {
            ring.chain(4 * tag, buffers);
            ring.offer(4 * tag);
        }

        @Override
        public List<Used> take() {
            List<Used> taken = new ArrayList<>();
            for (; seen != ring.usedIndex(); seen++) {
                taken.add(new Used(ring.usedId(seen) / 4, ring.usedLength(seen)));
            }
            return taken;
        }
    }

    /** A mailbox. */
    private record MailboxPort(MailboxQueue queue) implements Port {

        @Override
        public void post(int tag, Buffer... buffers) {
            queue.post(tag, buffers);
        }

        @Override
        public List<Used> take() {
            return queue.take();
        }
    }

    @Test
    void shouldAnswerTheSameWhateverTheRing() {
        List<String> onSplit = new Scene(false).play();
        List<String> onMailbox = new Scene(true).play();
        assertEquals(onSplit, onMailbox);
        // And what they agree on is what it should be.
        assertEquals(List.of("status 15", "attach: 0/4", "map: 0/4", "map over: 4/4", "unmap half: 5/4",
                "type 99: 255/0", "probe: 0/516", "properties 100140001 fee00000 feefffff 0", "short: 255/0"),
                onMailbox.subList(0, 9));
        String event = "event 0: 24 reason 2 endpoint 8 address 0x9000 flags 0x102";
        assertTrue(onMailbox.contains(event), onMailbox::toString);
        assertTrue(onMailbox.contains("unmap: 0/4"), onMailbox::toString);
    }

    /** One life of an IOMMU and of a device behind it; all that can be seen goes into a list. */
    private static final class Scene {

        private static final long RINGS = 0x10_0000;
        private static final long OUT = 0x1000;
        private static final long IN = 0x2000;
        private static final long EVENT_BUFFERS = 0x4000;
        private static final long TARGET = 0x20_0000;

        private final GuestMemory memory = GuestMemory.anonymous(0, 16 << 20);
        private final GuestBytes ram = new GuestBytes(memory, null);
        private final Signals signals = new Signals();
        private final VirtioIommu iommu = VirtioIommu.builder().endpoint(ENDPOINT).endpoint(9)
                .reserved(ReservedRegions.X86_MSI).queueSizes(64, 64).probeSize(PROBE_SIZE).bootBypass(false).build();
        private final MailboxQueue[] mailboxes = new MailboxQueue[2];
        private final DeviceLifecycle lifecycle;
        private final boolean mailbox;
        private final Port[] ports = new Port[2];
        private final DmaHandle dma = DmaSpace.of(memory, iommu.translator(ENDPOINT)).open("disk");
        private final MemorySegment host = Arena.ofAuto().allocate(16, 8);
        private final List<String> seen = new ArrayList<>();
        private int tags;

        Scene(boolean mailbox) {
            this.mailbox = mailbox;
            DmaSpace space = DmaSpace.identity(memory);
            lifecycle = mailbox
                    ? new DeviceLifecycle(iommu, space, signals, Long.MAX_VALUE, (settings, handle) -> {
                        MailboxQueue queue = new MailboxQueue(settings, handle);
                        mailboxes[settings.descriptorArea() == RINGS ? REQUESTS : EVENTS] = queue;
                        return queue;
                    })
                    : new DeviceLifecycle(iommu, space, signals, Long.MAX_VALUE);
        }

        List<String> play() {
            start();
            requests();
            deviceAccesses();
            manyInOneKick();
            takingAway();
            lifecycle.writeStatus(0);
            seen.add("after reset: " + access(0x3000) + " " + signals.take());
            start();
            seen.add("a new life: " + access(0x3000));
            attach();
            seen.add("attached: " + access(0x3000));
            memory.close();
            return seen;
        }

        private void start() {
            lifecycle.writeStatus(3);
            for (int word = 0; word < 4; word++) {
                lifecycle.features().accept(word, lifecycle.features().offered(word)
                        & ~(word == 0 ? 1 << FeatureBit.EVENT_IDX : 0));
            }
            for (int queue = 0; queue < 2; queue++) {
                long base = RINGS + queue * 0x1_0000L;
                ram.fill(base, 0x1_0000, 0);
                lifecycle.queues().writeAddress(queue, QueueArea.DESCRIPTOR, base);
                lifecycle.queues().writeAddress(queue, QueueArea.DRIVER, base + 0x4000);
                lifecycle.queues().writeAddress(queue, QueueArea.DEVICE, base + 0x8000);
                lifecycle.queues().enable(queue);
                ports[queue] = new SplitPort(new DriverRing(ram, 64, base, base + 0x4000, base + 0x8000));
            }
            lifecycle.writeStatus(15);
            for (int queue = 0; mailbox && queue < 2; queue++) {
                ports[queue] = new MailboxPort(mailboxes[queue]);
            }
            for (int i = 0; i < 3; i++) {
                ports[EVENTS].post(i, Buffer.writable(EVENT_BUFFERS + 64L * i, i == 1 ? 40 : (int) FaultEvent.SIZE));
            }
            seen.add("status " + lifecycle.status());
        }

        private void requests() {
            attach();
            request("map", map(0x3000, 0x4fff, TARGET, 3), RequestTail.SIZE);
            request("map over", map(0x4000, 0x4fff, TARGET, 3), RequestTail.SIZE);
            request("unmap half", unmap(0x4000, 0x4fff), RequestTail.SIZE);
            head(99);
            request("type 99", 4, RequestTail.SIZE);
            head(RequestType.PROBE);
            ram.putI32(OUT + ProbeRequest.ENDPOINT, ENDPOINT);
            request("probe", ProbeRequest.SIZE, PROBE_SIZE + RequestTail.SIZE);
            StringBuilder properties = new StringBuilder("properties");
            for (int i = 0; i < 32; i += 8) {
                properties.append(' ').append(Long.toHexString(ram.i64(IN + i)));
            }
            seen.add(properties.toString());
            request("short", 3, RequestTail.SIZE);
        }

        private void deviceAccesses() {
            seen.add("access " + access(0x3008) + " " + Long.toHexString(ram.i64(TARGET + 8)));
            seen.add("fault " + access(0x9000));
            seen.add("fault " + access(0x9000));
            seen.add("signals " + signals.take());
            for (Used used : ports[EVENTS].take()) {
                long at = EVENT_BUFFERS + 64L * used.tag();
                seen.add("event " + used.tag() + ": " + used.length() + " reason " + ram.u8(at + FaultEvent.REASON)
                        + " endpoint " + ram.i32(at + FaultEvent.ENDPOINT) + " address 0x"
                        + Long.toHexString(ram.i64(at + FaultEvent.ADDRESS)) + " flags 0x"
                        + Integer.toHexString(ram.i32(at + FaultEvent.FLAGS)));
            }
        }

        private void manyInOneKick() {
            for (int i = 0; i < 12; i++) {
                long at = 0x3_0000 + 256L * i;
                ram.putI32(at, RequestType.MAP);
                ram.putI32(at + MapRequest.DOMAIN, DOMAIN);
                ram.putI64(at + MapRequest.VIRT_START, 0x10_0000L + 0x1000L * i);
                ram.putI64(at + MapRequest.VIRT_END, 0x10_0fffL + 0x1000L * i);
                ram.putI64(at + MapRequest.PHYS_START, TARGET);
                ram.putI32(at + MapRequest.FLAGS, 1);
                ports[REQUESTS].post(i, Buffer.readable(at, 20), Buffer.readable(at + 20, 16),
                        Buffer.writable(at + 200, 4));
            }
            lifecycle.kicks().kick(REQUESTS);
            seen.add("twelve: " + ports[REQUESTS].take() + " " + signals.take() + " " + iommu.liveMappings());
            seen.add("last of them: " + access(0x10_b000) + " read-only, so refused");
        }

        private void takingAway() {
            request("unmap", unmap(0, -1), RequestTail.SIZE);
            seen.add("gone: " + access(0x3000) + " " + iommu.liveMappings());
            request("map again", map(0x3000, 0x3fff, TARGET, 3), RequestTail.SIZE);
            head(RequestType.DETACH);
            ram.putI32(OUT + DetachRequest.DOMAIN, DOMAIN);
            ram.putI32(OUT + DetachRequest.ENDPOINT, ENDPOINT);
            request("detach", DetachRequest.SIZE, RequestTail.SIZE);
            seen.add("detached: " + access(0x3000) + " " + iommu.liveDomains());
        }

        private void attach() {
            head(RequestType.ATTACH);
            ram.putI32(OUT + AttachRequest.DOMAIN, DOMAIN);
            ram.putI32(OUT + AttachRequest.ENDPOINT, ENDPOINT);
            request("attach", AttachRequest.SIZE, RequestTail.SIZE);
        }

        private long map(long virtStart, long virtEnd, long physStart, int flags) {
            head(RequestType.MAP);
            ram.putI32(OUT + MapRequest.DOMAIN, DOMAIN);
            ram.putI64(OUT + MapRequest.VIRT_START, virtStart);
            ram.putI64(OUT + MapRequest.VIRT_END, virtEnd);
            ram.putI64(OUT + MapRequest.PHYS_START, physStart);
            ram.putI32(OUT + MapRequest.FLAGS, flags);
            return MapRequest.SIZE;
        }

        private long unmap(long virtStart, long virtEnd) {
            head(RequestType.UNMAP);
            ram.putI32(OUT + UnmapRequest.DOMAIN, DOMAIN);
            ram.putI64(OUT + UnmapRequest.VIRT_START, virtStart);
            ram.putI64(OUT + UnmapRequest.VIRT_END, virtEnd);
            return UnmapRequest.SIZE;
        }

        private void head(int type) {
            ram.fill(OUT, 128, 0);
            ram.putU8(OUT + RequestHead.TYPE, type);
        }

        /** Sends what lies at OUT and notes the status and the used length; a status of 255 was never written. */
        private void request(String name, long readable, long writable) {
            ram.fill(IN, 1024, 0xff);
            ports[REQUESTS].post(tags++ % 16, Buffer.readable(OUT, (int) readable),
                    Buffer.writable(IN, (int) writable));
            lifecycle.kicks().kick(REQUESTS);
            for (Used used : ports[REQUESTS].take()) {
                int status = ram.u8(IN + writable - RequestTail.SIZE + RequestTail.STATUS);
                seen.add(name + ": " + status + "/" + used.length());
            }
            signals.take();
        }

        private String access(long iova) {
            host.fill((byte) (iova >> 12));
            dma.enter();
            String result = dma.write(iova, host, 0, 8).toString();
            dma.leave();
            return result;
        }
    }
}
