// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma.translate;

import org.jspecify.annotations.Nullable;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.grace.ReaderSection;

/**
 * Turns the addresses of one {@code DmaHandle} into guest-physical ones. It tries what it found last in this section,
 * then what earlier sections found, and then asks the {@link Translator}. The first address of a section that is
 * refused is recorded here.
 *
 * <p>It belongs to the handle's owner and is used inside the handle's section, unless a method says otherwise. Nothing
 * allocates after the constructor.
 */
public final class AddressLookup {

    private final Translator translator;
    private final ReaderSection section;

    /** What earlier sections found and this one may use; null if nothing outlives a section. */
    private final @Nullable TranslationCaches caches;
    private final @Nullable TranslationCache cache;

    private final LastTranslation last = new LastTranslation();

    private TranslateResult faultReason = TranslateResult.OK;
    private long faultIova;
    private Access faultAccess = Access.READ;

    /**
     * A look-up that has found nothing yet. {@link #join} must follow.
     *
     * @param translator answers the look-ups
     * @param section    the reader whose sections this is used in
     */
    public AddressLookup(Translator translator, ReaderSection section) {
        this.translator = translator;
        this.section = section;
        // All messages of a device go to one or two doorbells, which are looked up as fast as in a cache.
        this.caches = section.messagesOnly() ? null : translator.caches();
        this.cache = caches == null ? null : new TranslationCache();
    }

    /** Makes the reader known to the translator, before its first section. May throw what the translator throws. */
    public void join() {
        translator.join(section);
        if (caches != null && cache != null) {
            caches.add(cache);
        }
    }

    /** Undoes {@link #join}, also one that failed half-way. Any thread; no section is open, and none opens again. */
    public void part() {
        try {
            translator.part(section);
        } finally {
            if (caches != null && cache != null) {
                caches.remove(cache);
            }
        }
    }

    /**
     * What was found last: the answer of {@link #find} and {@link #knows}, if that was yes, until the next call.
     *
     * @return the same object throughout
     */
    public LastTranslation last() {
        return last;
    }

    /**
     * The translator's {@link Translator#generation}.
     *
     * @return the present value
     */
    public long generation() {
        return translator.generation();
    }

    /**
     * Finds an address, and counts the look-up.
     *
     * @param iova   I/O-virtual address
     * @param access what the device is about to do there
     * @return {@link TranslateResult#OK} if {@link #last} holds the address now; otherwise the caller calls {@link
     *         #refuse}
     */
    public TranslateResult find(long iova, Access access) {
        if (knows(iova, access)) {
            section.countCacheHit();
            return TranslateResult.OK;
        }
        return walk(iova, access);
    }

    /**
     * Whether the address is known without asking the translator. Counts nothing.
     *
     * @param iova   I/O-virtual address
     * @param access what the device is about to do there
     * @return whether {@link #last} holds the address now
     */
    public boolean knows(long iova, Access access) {
        return last.allows(iova, access) || (cache != null && cache.find(iova, access, last));
    }

    /**
     * Finds an address, counts the look-up, and hands the extent on. A refusal is recorded.
     *
     * @param iova   I/O-virtual address
     * @param access what the device is about to do there
     * @param out    receives the extent when the result is {@link TranslateResult#OK}
     * @return whether the access may go on, and if not why
     */
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        if (gives(iova, access, out)) {
            section.countCacheHit();
            return TranslateResult.OK;
        }
        TranslateResult result = walk(iova, access);
        if (result == TranslateResult.OK) {
            last.copyTo(out);
        } else {
            refuse(result, iova, access);
        }
        return result;
    }

    /**
     * Whether the address is known now; if so, the sink gets the extent. A caller that gets here has used the extent of
     * the last look-up already and hardly ever asks for it again. So the cache comes first, where there is one.
     */
    private boolean gives(long iova, Access access, ExtentSink out) {
        if (cache != null && cache.find(iova, access, out)) {
            return true;
        }
        if (last.allows(iova, access)) {
            last.copyTo(out);
            return true;
        }
        return false;
    }

    private TranslateResult walk(long iova, Access access) {
        // Nobody waits for a thread outside the section. What it looked at might be taken away at any moment, and the
        // translator does not look for that.
        section.checkInside();
        section.countWalk();
        long before = translator.generation();
        TranslateResult result;
        try {
            result = translator.translate(iova, access, last);
        } catch (RuntimeException | Error thrown) {
            // It may have filled the extent before.
            last.clear();
            throw thrown;
        }
        if (cache != null && result == TranslateResult.OK && !last.onlyMessages()) {
            cache.keep(last);
            if (translator.generation() != before) {
                // Perhaps it was taken away meanwhile, by somebody who did not see it here. This section may use it.
                cache.forget(last.virtStart(), last.virtEnd());
            }
        }
        return result;
    }

    /**
     * Records a refused address, if it is the first since the record was taken.
     *
     * @param reason why it was refused, never {@link TranslateResult#OK}
     * @param iova   the address
     * @param access what was attempted
     */
    public void refuse(TranslateResult reason, long iova, Access access) {
        last.clear();
        if (faultReason == TranslateResult.OK) {
            faultReason = reason;
            faultIova = iova;
            faultAccess = access;
        }
    }

    /**
     * Takes the record of the refused address.
     *
     * @return the reason that was recorded since the last call, {@link TranslateResult#OK} for none
     */
    public TranslateResult takeFault() {
        TranslateResult reason = faultReason;
        if (reason != TranslateResult.OK) {
            // Stored only if needed, because each section ends here.
            faultReason = TranslateResult.OK;
        }
        return reason;
    }

    /**
     * The address of the record that was taken last.
     *
     * @return I/O-virtual address
     */
    public long faultIova() {
        return faultIova;
    }

    /**
     * What was attempted there.
     *
     * @return the access that was refused
     */
    public Access faultAccess() {
        return faultAccess;
    }

    /**
     * Tells the translator of a refused access, outside any section and under no lock.
     *
     * @param reason why it was refused
     * @param iova   the address
     * @param access what was attempted
     */
    public void report(TranslateResult reason, long iova, Access access) {
        translator.faulted(reason, iova, access);
    }
}
