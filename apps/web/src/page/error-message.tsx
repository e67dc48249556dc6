/** What went wrong, where it can be seen: it scrolls into view when it comes. */
import { useEffect, useRef } from 'preact/hooks';

export function ErrorMessage({ message }: { message: string }) {
  const place = useRef<HTMLParagraphElement>(null);
  useEffect(() => place.current?.scrollIntoView({ block: 'nearest' }), [message]);
  return (
    <p class="error" role="alert" ref={place}>
      {message}
    </p>
  );
}
