// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.queue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.fixture.DriverRing.Buffer;
import org.virtio4j.wire.SplitDescriptor;

/**
 * A second ring that is none: buffers wait in a list of this process, there are no indexes, no descriptors and no ring
 * in guest memory. Whatever serves it must do without all that.
 */
public final class MailboxQueue implements DeviceQueue {

    /** A buffer that came back. */
    public record Used(int tag, long length) {
    }

    private record Posted(int tag, List<Buffer> buffers) {
    }

    private final QueueSettings settings;
    private final DmaHandle dma;
    private final BufferLease lease;
    private final ArrayDeque<Posted> posted = new ArrayDeque<>();
    private final Map<Integer, Integer> tagsInFlight = new HashMap<>();
    private final List<Used> unpublished = new ArrayList<>();
    private final List<Used> published = new ArrayList<>();
    private int nextId = 1_000_000;

    /** Takes the place of a ring; where its memory is does not matter. */
    public MailboxQueue(QueueSettings settings, DmaHandle dma) {
        this.settings = settings;
        this.dma = dma;
        lease = new BufferLease(dma, settings.translated());
    }

    /** The driver's side: makes a buffer available. */
    public synchronized void post(int tag, Buffer... buffers) {
        posted.add(new Posted(tag, List.of(buffers)));
    }

    /** The driver's side: what came back since the last call, in order. */
    public synchronized List<Used> take() {
        List<Used> taken = List.copyOf(published);
        published.clear();
        return taken;
    }

    @Override
    public void enter() {
        dma.enter();
    }

    @Override
    public void leave() {
        dma.leave();
    }

    @Override
    public synchronized boolean poll(Chain into) {
        into.checkEmpty();
        Posted next = dma.live() ? posted.poll() : null;
        if (next == null) {
            return false;
        }
        // An id that no split ring could have, and never the same twice.
        nextId += 7;
        tagsInFlight.put(nextId, next.tag);
        into.begin(this, dma, lease, nextId);
        for (Buffer buffer : next.buffers) {
            into.add(buffer.address(), buffer.length(), (buffer.flags() & SplitDescriptor.FLAG_WRITE) != 0, 1_024);
        }
        return true;
    }

    @Override
    public synchronized boolean hasAvailable() {
        return dma.live() && !posted.isEmpty();
    }

    @Override
    public boolean pollOrEnable(Chain into) {
        return poll(into);
    }

    @Override
    public synchronized int handOver() {
        return posted.size();
    }

    @Override
    public synchronized void complete(Chain chain) {
        long length = chain.writtenLength();
        Integer tag = tagsInFlight.remove(chain.end(this));
        if (tag == null) {
            throw new AssertionError("completed twice");
        }
        if (dma.live()) {
            unpublished.add(new Used(tag, length));
        }
    }

    @Override
    public synchronized boolean publish() {
        boolean news = !unpublished.isEmpty();
        published.addAll(unpublished);
        unpublished.clear();
        return news;
    }

    @Override
    public void disableNotifications() {
        // The driver of a mailbox kicks when it likes.
    }

    @Override
    public synchronized boolean enableNotifications() {
        return !posted.isEmpty();
    }

    @Override
    public boolean isReachable() {
        return true;
    }

    @Override
    public boolean isAway() {
        return false;
    }

    @Override
    public void giveUp() {
        throw new AssertionError("nothing throws here");
    }

    @Override
    public QueueFailure failure() {
        return QueueFailure.NONE;
    }

    @Override
    public int size() {
        return settings.size();
    }

    @Override
    public void shut() {
        dma.shut();
    }

    @Override
    public void close() {
        dma.close();
    }
}
