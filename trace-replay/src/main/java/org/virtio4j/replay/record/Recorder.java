// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.record;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.OutputFile;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.trace.RawRequest;
import org.virtio4j.trace.TraceEvent;
import org.virtio4j.trace.TraceHeader;
import org.virtio4j.trace.TraceWriter;
import org.virtio4j.trace.TranslationKind;
import org.virtio4j.vmm.Access;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;

/**
 * Records one IOMMU into a trace of version 2, from its first driver on: all requests with their answers, kicks, resets
 * and faults. Of the translations it has only those that were refused, because devices translate without a call that a
 * listener could see.
 *
 * <p>The status register is seen from inside the device: the steps a driver takes are written down when it has come to
 * {@code FEATURES_OK} and to {@code DRIVER_OK}.
 *
 * <p>Nothing here disturbs the device. Where the recording cannot go on, it ends, and {@link #finish} says why.
 */
public final class Recorder implements IommuListener, AutoCloseable {

    private static final int IOMMU = 0;
    private static final int CHUNKS = 32;
    private static final Duration PATIENCE = Duration.ofMillis(200);

    private static final int ACKNOWLEDGE = DeviceStatus.ACKNOWLEDGE;
    private static final int DRIVER = ACKNOWLEDGE | DeviceStatus.DRIVER;
    private static final int FEATURES_OK = DRIVER | DeviceStatus.FEATURES_OK;
    private static final int DRIVER_OK = FEATURES_OK | DeviceStatus.DRIVER_OK;

    private final Path name;
    private final OutputFile file;
    private final DiskStream stream;

    /** Calls come under two locks of the IOMMU; this one comes after them, and guards all that follows. */
    private final ReentrantLock lock = new ReentrantLock();
    private final byte[] readable = new byte[ServedRequest.MOST_BYTES];
    private @Nullable RecordedSettings settings;
    private byte[] written = {};
    private RequestLayout layout = new RequestLayout(0);
    private long accepted;

    /** Before the first driver is there, what the bypass byte is. */
    private boolean bypass;

    /** Null before the first driver. */
    private @Nullable TraceWriter writer;
    private TraceHeader.@Nullable Iommu begun;
    private String ended = "";
    private boolean told;

    private Recorder(Path name, OutputFile file, OutputStream out) {
        this.name = name;
        this.file = file;
        this.stream = new DiskStream(out, CHUNKS, PATIENCE);
    }

    /**
     * Prepares a recording.
     *
     * @param name of the trace's file, compressed if that ends in {@code .gz}; replaced when the recording is finished
     * @return a recorder for {@link #watch}
     * @throws CommandFailure if the file cannot be written
     */
    public static Recorder to(Path name) throws CommandFailure {
        OutputFile file = OutputFile.create(name);
        try {
            OutputStream out = file.stream();
            return new Recorder(name, file, name.toString().endsWith(".gz") ? new GZIPOutputStream(out) : out);
        } catch (IOException refused) {
            file.close();
            throw new CommandFailure(name + ": expected a file that can be written, found: " + refused.getMessage());
        }
    }

    /**
     * Says what is recorded. The IOMMU has this recorder as its listener, and no driver yet.
     *
     * @param iommu     the device
     * @param endpoints those behind it, by id, with what their drivers may not map
     */
    public void watch(VirtioIommu iommu, Map<Integer, ReservedRegions> endpoints) {
        lock.lock();
        try {
            RecordedSettings found = RecordedSettings.of(iommu, endpoints);
            settings = found;
            bypass = found.bypass();
            layout = new RequestLayout(found.probeSize());
            written = new byte[Math.toIntExact(found.probeSize() + RequestTail.SIZE)];
        } finally {
            lock.unlock();
        }
    }

    /**
     * Completes the file. The IOMMU is not served any more.
     *
     * @throws CommandFailure if it is not what was to be recorded, and why
     */
    public void finish() throws CommandFailure {
        lock.lock();
        try {
            if (writer != null) {
                writer.close();
            }
        } catch (IOException impossible) {
            throw new IllegalStateException("DiskStream does not throw", impossible);
        } finally {
            lock.unlock();
        }
        stream.close();
        if (stream.failure().isPresent()) {
            throw new CommandFailure(name + ": not recorded: " + stream.failure().get());
        }
        if (writer == null) {
            throw new CommandFailure(name + ": not recorded: no driver has started the IOMMU");
        }
        file.complete();
        if (!ended.isEmpty()) {
            throw new CommandFailure(name + ": recorded in part, until " + ended);
        }
    }

    /**
     * Whether the recording has ended early, so that the user is told in time to begin another.
     *
     * @return one line for the user, once; nothing as long as all is well
     */
    public Optional<String> trouble() {
        lock.lock();
        try {
            String why = stream.failure().orElse(ended);
            boolean news = !why.isEmpty() && !told;
            told |= news;
            return news ? Optional.of(name + ": the recording has ended: " + why) : Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /** Leaves nothing behind but a finished recording. */
    @Override
    public void close() {
        stream.close();
        file.close();
    }

    // What the IOMMU tells

    @Override
    public boolean recordsTraffic() {
        return true;
    }

    @Override
    public void negotiated(Features features) {
        lock.lock();
        try {
            accepted = features.low();
            if (begun != null && begun.accepted() != accepted) {
                end("a driver accepted other features than the first one");
            }
            recordNegotiation();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void activated(int requestQueueSize, int eventQueueSize) {
        lock.lock();
        try {
            if (begun == null) {
                begin(requestQueueSize, eventQueueSize);
            } else if (begun.requestQueueSize() != requestQueueSize || begun.eventQueueSize() != eventQueueSize) {
                end("a driver chose other queue sizes than the first one");
            }
            record(new TraceEvent.Status(IOMMU, DRIVER_OK));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void reset(ResetKind kind) {
        lock.lock();
        try {
            if (kind == ResetKind.SYSTEM) {
                bypass = settings != null && settings.bypass();
                record(new TraceEvent.Reset(IOMMU));
            } else {
                record(new TraceEvent.Status(IOMMU, 0));
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void bypassWritten(boolean on) {
        lock.lock();
        try {
            bypass = on;
            record(new TraceEvent.Bypass(IOMMU, on ? 1 : 0));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void served(ServedRequest request) {
        lock.lock();
        try {
            int length = request.copyReadable(readable);
            record(layout.isExact(request, readable)
                    ? event(request)
                    : RawRequest.of(IOMMU, readable, length, request.writableLength(), request.usedLength(),
                            written(request)));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void kicked() {
        lock.lock();
        try {
            record(new TraceEvent.Kick(IOMMU));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void faulted(int endpoint, long iova, Access access) {
        lock.lock();
        try {
            record(new TraceEvent.Translate(IOMMU, endpoint, iova, access.mask(), TranslationKind.FAULT, 0));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void reported(int reason, int flags, int endpoint, long address) {
        lock.lock();
        try {
            record(new TraceEvent.Fault(IOMMU, reason, flags, endpoint, address));
        } finally {
            lock.unlock();
        }
    }

    private static TraceEvent event(ServedRequest request) {
        return switch (request.type()) {
            case RequestType.ATTACH -> new TraceEvent.Attach(IOMMU, request.domain(), request.endpoint(),
                    request.flags(), true, request.status(), request.removed());
            case RequestType.DETACH -> new TraceEvent.Detach(IOMMU, request.domain(), request.endpoint(),
                    request.status(), request.removed());
            case RequestType.MAP -> new TraceEvent.Map(IOMMU, request.domain(), request.virtStart(), request.virtEnd(),
                    request.physStart(), request.flags(), request.status());
            case RequestType.UNMAP -> new TraceEvent.Unmap(IOMMU, request.domain(), request.virtStart(),
                    request.virtEnd(), request.status(), request.removed());
            default -> new TraceEvent.Probe(IOMMU, request.endpoint(), request.status());
        };
    }

    private byte[] written(ServedRequest request) {
        int ignored = request.copyWritten(written);
        return written;
    }

    /** The first driver is there, and all is known that the first line says. */
    private void begin(int requestQueueSize, int eventQueueSize) {
        TraceHeader.Iommu header =
                Objects.requireNonNull(settings).header(accepted, requestQueueSize, eventQueueSize);
        begun = header;
        try {
            writer = TraceWriter.to(stream, TraceHeader.of(header), false);
        } catch (IOException impossible) {
            throw new IllegalStateException("DiskStream does not throw", impossible);
        }
        recordNegotiation();
        if (bypass != header.bypass()) {
            record(new TraceEvent.Bypass(IOMMU, bypass ? 1 : 0));
        }
    }

    private void recordNegotiation() {
        for (int status : List.of(ACKNOWLEDGE, DRIVER, FEATURES_OK)) {
            record(new TraceEvent.Status(IOMMU, status));
        }
    }

    private void end(String why) {
        ended = ended.isEmpty() ? why : ended;
    }

    /** Writes the event, if the recording has begun and not ended. */
    private void record(TraceEvent event) {
        if (writer == null || !ended.isEmpty()) {
            return;
        }
        try {
            writer.write(event);
        } catch (IOException impossible) {
            throw new IllegalStateException("DiskStream does not throw", impossible);
        }
    }
}
