// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser.proxy;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.virtio4j.os.Errno;
import org.virtio4j.wire.vfiouser.Command;
import org.virtio4j.wire.vfiouser.DmaMap;
import org.virtio4j.wire.vfiouser.DmaUnmap;
import org.virtio4j.wire.vfiouser.IrqInfo;
import org.virtio4j.wire.vfiouser.IrqSet;
import org.virtio4j.wire.vfiouser.RegionAccess;

/**
 * What is said on one connection: a line for each register access, when its value is known, and for each other request;
 * one more for what is refused. Both directions may call at once.
 */
final class Traffic {

    private final Consumer<String> log;
    private final LongSupplier nanos;
    private final List<Change> changes;
    private final Set<Change> idle = new LinkedHashSet<>();
    private final long began;

    private final ReentrantLock lock = new ReentrantLock();
    private final RegisterNames names = new RegisterNames();

    /** What each request was that has no answer yet, by its id. */
    private final Map<Integer, String> asked = new HashMap<>();

    Traffic(Consumer<String> log, LongSupplier nanos, List<Change> changes) {
        this.log = log;
        this.nanos = nanos;
        this.changes = changes;
        this.idle.addAll(changes);
        this.began = nanos.getAsLong();
    }

    /** Says which changes came to nothing, for one that does not apply looks like a client that does not mind. */
    void end() {
        lock.lock();
        try {
            idle.forEach(change -> log.accept("nothing was changed by: " + change.text()));
        } finally {
            lock.unlock();
        }
    }

    /** A message of the client's, which may be changed. */
    void fromClient(Message message) {
        lock.lock();
        try {
            if (!message.isWhole()) {
                line("a message of " + message.size() + " bytes: nothing is looked at from here on");
            } else if (!message.isReply()) {
                request(message);
            }
        } finally {
            lock.unlock();
        }
    }

    /** A message of the server's, which may be changed. */
    void fromServer(Message message) {
        lock.lock();
        try {
            if (!message.isWhole()) {
                line("an answer of " + message.size() + " bytes: nothing is looked at from here on");
            } else if (message.isReply()) {
                answer(message);
            } else {
                line("server " + Command.name(message.command()));
            }
        } finally {
            lock.unlock();
        }
    }

    private void request(Message message) {
        ByteBuffer body = message.body();
        String what = describe(message, body);
        if (message.wantsReply()) {
            asked.put(message.id(), what);
        }
        if (message.command() == Command.REGION_WRITE && body.capacity() > RegionAccess.DATA) {
            seen(Access.in(true, body));
        } else if (message.command() != Command.REGION_READ) {
            line(what);
        }
    }

    private void answer(Message message) {
        String what = asked.remove(message.id());
        ByteBuffer body = message.body();
        if (message.errno() != 0) {
            line("refused with " + Errno.symbol(message.errno()) + ": "
                    + (what == null ? Command.name(message.command()) : what));
        } else if (message.command() == Command.REGION_READ && body.capacity() > RegionAccess.DATA) {
            Access read = Access.in(false, body);
            names.learn(read);
            seen(read);
        }
    }

    private void seen(Access access) {
        String name = names.name(access.region(), access.offset());
        String was = access.shown();
        boolean changed = false;
        for (Change change : changes) {
            if (change.apply(access, name)) {
                changed = true;
                idle.remove(change);
            }
        }
        String place = String.format(Locale.ROOT, "%-5s %-13s %s", access.write() ? "write" : "read", access.place(),
                access.hasValue() && !name.isEmpty() ? name + " = " : "= ");
        line(place + was + (changed ? ", changed to " + access.shown() : ""));
    }

    private String describe(Message message, ByteBuffer body) {
        String name = Command.name(message.command());
        int descriptors = message.descriptorCount();
        String along = descriptors == 0 ? "" : ", " + descriptors + (descriptors == 1 ? " descriptor" : " descriptors");
        return switch (message.command()) {
            case Command.REGION_READ, Command.REGION_WRITE -> name + place(body);
            case Command.DMA_MAP -> name + range(body, DmaMap.SIZE, DmaMap.ADDRESS, DmaMap.LENGTH) + along;
            case Command.DMA_UNMAP -> name + range(body, DmaUnmap.SIZE, DmaUnmap.ADDRESS, DmaUnmap.LENGTH) + along;
            case Command.DEVICE_SET_IRQS -> name + interrupts(body) + along;
            case Command.DEVICE_GET_REGION_INFO, Command.DEVICE_GET_IRQ_INFO -> name + index(body);
            default -> name + along;
        };
    }

    private String place(ByteBuffer body) {
        if (body.capacity() < RegionAccess.DATA) {
            return "";
        }
        int region = body.getInt((int) RegionAccess.REGION);
        long offset = body.getLong((int) RegionAccess.OFFSET);
        String name = names.name(region, offset);
        return String.format(Locale.ROOT, " %s:0x%02x%s, %d bytes", Access.region(region), offset,
                name.isEmpty() ? "" : " " + name, Integer.toUnsignedLong(body.getInt((int) RegionAccess.COUNT)));
    }

    private static String range(ByteBuffer body, long size, long address, long length) {
        return body.capacity() < size ? "" : String.format(Locale.ROOT, " 0x%x, 0x%x bytes",
                body.getLong((int) address), body.getLong((int) length));
    }

    /** Both requests have it at the same place. */
    private static String index(ByteBuffer body) {
        return body.capacity() < IrqInfo.SIZE ? "" : " " + body.getInt((int) IrqInfo.INDEX);
    }

    private static String interrupts(ByteBuffer body) {
        return body.capacity() < IrqSet.SIZE ? "" : String.format(Locale.ROOT, " index %d, flags 0x%x, %d from %d",
                body.getInt((int) IrqSet.INDEX), body.getInt((int) IrqSet.FLAGS), body.getInt((int) IrqSet.COUNT),
                body.getInt((int) IrqSet.START));
    }

    private void line(String text) {
        double seconds = (nanos.getAsLong() - began) / 1e9;
        log.accept(String.format(Locale.ROOT, "%9.3f  %s", seconds, text));
    }
}
