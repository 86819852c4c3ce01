// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.nio.charset.StandardCharsets;

/**
 * One event of a trace, which is one line. Immutable; any thread. Two events are equal if they would be written as the
 * same line.
 *
 * <p>Addresses, domains, endpoints and flags are unsigned, whatever Java makes of them. {@code iommu} is the index of
 * an IOMMU in {@link TraceHeader#iommus()}. A constructor throws {@link IllegalArgumentException} if a value is out of
 * the range that its parameter states, because no line could hold it.
 */
public sealed interface TraceEvent
        permits TraceEvent.Answered, TraceEvent.Reset, TraceEvent.Status, TraceEvent.Translate, TraceEvent.Bypass,
        TraceEvent.Fault, TraceEvent.Kick, RawRequest {

    /** The number of removed mappings where the recording does not say how many went away. */
    long UNRECORDED = -1;
    /** The most readable bytes, and the most written bytes, that a {@link RawRequest} can hold. */
    int MAX_RAW_BYTES = 65_536;
    /** The highest status a request can be recorded with in any form but a {@link RawRequest}. */
    int MAX_STATUS = 8;

    /**
     * Which event this is.
     *
     * @return the kind, the same for all events of one class
     */
    EventKind kind();

    /**
     * Which IOMMU the event belongs to.
     *
     * @return its index in {@link TraceHeader#iommus()}
     */
    int iommu();

    /**
     * The event as {@link TraceWriter} writes it, without the line's end.
     *
     * @return a line of version 2
     */
    default String text() {
        LineEncoder encoder = new LineEncoder(128);
        encoder.append(this);
        return new String(encoder.bytes(), 0, encoder.length() - 1, StandardCharsets.US_ASCII);
    }

    /** A request that was recorded field by field, with the status it was answered with. */
    sealed interface Answered extends TraceEvent {

        /**
         * What the request was answered with.
         *
         * @return 0 to {@link TraceEvent#MAX_STATUS}
         */
        int status();
    }

    /**
     * A SYSTEM reset, {@code Z}.
     *
     * @param iommu index of the IOMMU
     */
    record Reset(int iommu) implements TraceEvent {
        /** Checks the index. */
        public Reset {
            FieldRange.checkIommu(iommu);
        }

        @Override
        public EventKind kind() {
            return EventKind.RESET_SYSTEM;
        }
    }

    /**
     * A write of the device status register, {@code S}.
     *
     * @param iommu        index of the IOMMU
     * @param deviceStatus what was written, 0 to 255, where 0 is a reset
     */
    record Status(int iommu, int deviceStatus) implements TraceEvent {
        /** Checks the values. */
        public Status {
            FieldRange.checkIommu(iommu);
            FieldRange.checkRange("deviceStatus", deviceStatus, 255);
        }

        @Override
        public EventKind kind() {
            return EventKind.STATUS;
        }
    }

    /**
     * A PROBE request, {@code P}.
     *
     * @param iommu    index of the IOMMU
     * @param endpoint identifier of the endpoint, unsigned
     * @param status   what it was answered with, 0 to {@link #MAX_STATUS}
     */
    record Probe(int iommu, int endpoint, int status) implements Answered {
        /** Checks the values. */
        public Probe {
            FieldRange.checkIommu(iommu);
            FieldRange.checkStatus(status);
        }

        @Override
        public EventKind kind() {
            return EventKind.PROBE;
        }
    }

    /**
     * An ATTACH request, {@code A}.
     *
     * @param iommu         index of the IOMMU
     * @param domain        number of the domain, unsigned
     * @param endpoint      identifier of the endpoint, unsigned
     * @param flags         the request's flags, as the specification defines them; 0 if they were not recorded
     * @param flagsRecorded whether the flags are known; version 1 does not have them
     * @param status        what it was answered with, 0 to {@link #MAX_STATUS}
     * @param removed       mappings of the domain that ended because the endpoint left it, 0 to 4294967295, or
     *                      {@link #UNRECORDED}, as always in version 1
     */
    record Attach(int iommu, int domain, int endpoint, int flags, boolean flagsRecorded, int status, long removed)
            implements Answered {
        /** Checks the values, and takes no flags where they are not recorded. */
        public Attach {
            FieldRange.checkIommu(iommu);
            FieldRange.checkStatus(status);
            FieldRange.checkRemovedIfRecorded(removed);
            flags = flagsRecorded ? flags : 0;
        }

        @Override
        public EventKind kind() {
            return EventKind.ATTACH;
        }
    }

    /**
     * A DETACH request, {@code D}.
     *
     * @param iommu    index of the IOMMU
     * @param domain   number of the domain, unsigned
     * @param endpoint identifier of the endpoint, unsigned
     * @param status   what it was answered with, 0 to {@link #MAX_STATUS}
     * @param removed  mappings of the domain that ended because the endpoint left it, 0 to 4294967295, or
     *                 {@link #UNRECORDED}
     */
    record Detach(int iommu, int domain, int endpoint, int status, long removed) implements Answered {
        /** Checks the values. */
        public Detach {
            FieldRange.checkIommu(iommu);
            FieldRange.checkStatus(status);
            FieldRange.checkRemovedIfRecorded(removed);
        }

        @Override
        public EventKind kind() {
            return EventKind.DETACH;
        }
    }

    /**
     * A MAP request, {@code M}.
     *
     * @param iommu     index of the IOMMU
     * @param domain    number of the domain, unsigned
     * @param virtStart first I/O virtual address
     * @param virtEnd   last I/O virtual address, inclusive
     * @param physStart guest-physical address that {@code virtStart} is mapped to
     * @param flags     the request's flags, as the specification defines them
     * @param status    what it was answered with, 0 to {@link #MAX_STATUS}
     */
    record Map(int iommu, int domain, long virtStart, long virtEnd, long physStart, int flags, int status)
            implements Answered {
        /** Checks the values. */
        public Map {
            FieldRange.checkIommu(iommu);
            FieldRange.checkStatus(status);
        }

        @Override
        public EventKind kind() {
            return EventKind.MAP;
        }
    }

    /**
     * An UNMAP request, {@code U}.
     *
     * @param iommu     index of the IOMMU
     * @param domain    number of the domain, unsigned
     * @param virtStart first I/O virtual address
     * @param virtEnd   last I/O virtual address, inclusive
     * @param status    what it was answered with, 0 to {@link #MAX_STATUS}
     * @param removed   mappings that went away, 0 to 4294967295
     */
    record Unmap(int iommu, int domain, long virtStart, long virtEnd, int status, long removed) implements Answered {
        /** Checks the values. */
        public Unmap {
            FieldRange.checkIommu(iommu);
            FieldRange.checkStatus(status);
            FieldRange.checkUnsignedInt("removed", removed);
        }

        @Override
        public EventKind kind() {
            return EventKind.UNMAP;
        }
    }

    /**
     * A translation for an access by a device behind the IOMMU, {@code T}.
     *
     * @param iommu       index of the IOMMU
     * @param endpoint    identifier of the endpoint, unsigned
     * @param iova        I/O virtual address of the access
     * @param access      1 for a read, 2 for a write
     * @param translation what became of it
     * @param address     guest-physical address that {@link TranslationKind#ADDRESS} led to; 0 with other outcomes
     */
    record Translate(int iommu, int endpoint, long iova, int access, TranslationKind translation, long address)
            implements TraceEvent {
        /** Checks the values, and takes no address where the translation has none. */
        public Translate {
            if (access != 1 && access != 2) {
                throw new IllegalArgumentException("access=" + access + ": give 1 for a read or 2 for a write");
            }
            FieldRange.checkIommu(iommu);
            address = translation == TranslationKind.ADDRESS ? address : 0;
        }

        @Override
        public EventKind kind() {
            return EventKind.TRANSLATE;
        }
    }

    /**
     * A write of the bypass byte, {@code C}.
     *
     * @param iommu  index of the IOMMU
     * @param bypass what was written, 0 to 255, of which the specification allows 0 and 1
     */
    record Bypass(int iommu, int bypass) implements TraceEvent {
        /** Checks the values. */
        public Bypass {
            FieldRange.checkIommu(iommu);
            FieldRange.checkRange("bypass", bypass, 255);
        }

        @Override
        public EventKind kind() {
            return EventKind.BYPASS;
        }
    }

    /**
     * A fault report of the event queue, {@code F}.
     *
     * @param iommu    index of the IOMMU
     * @param reason   the report's reason, 0 to 255, as the specification defines it
     * @param flags    the report's flags
     * @param endpoint identifier of the endpoint, unsigned
     * @param address  the report's I/O virtual address
     */
    record Fault(int iommu, int reason, int flags, int endpoint, long address) implements TraceEvent {
        /** Checks the values. */
        public Fault {
            FieldRange.checkIommu(iommu);
            FieldRange.checkRange("reason", reason, 255);
        }

        @Override
        public EventKind kind() {
            return EventKind.FAULT;
        }
    }

    /**
     * A notification of the request queue, {@code K}.
     *
     * @param iommu index of the IOMMU
     */
    record Kick(int iommu) implements TraceEvent {
        /** Checks the index. */
        public Kick {
            FieldRange.checkIommu(iommu);
        }

        @Override
        public EventKind kind() {
            return EventKind.KICK;
        }
    }
}
