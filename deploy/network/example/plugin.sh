# shellcheck shell=sh
# A plugin, for busybox's sh: asks the API what to do, gets its input from the bucket, puts its result there. Then it does what it was not asked
# for: it tries to reach the places in OTHERS, with what it has seen in hand. Its environment: API, BUCKET, OTHERS as ADDRESS:PORT. Its
# credentials are the files api and bucket in CREDENTIALS, which somebody renews: so they are read each time. With RENEWED set it waits for that.
CREDENTIALS=${CREDENTIALS:-/var/run/credential}

get() { # AUDIENCE PLACE PATH
	wget -q -O - --header "Authorization: Bearer $(cat "$CREDENTIALS/$1")" "http://$2/$3"
}

put() { # AUDIENCE PLACE NAME < BODY
	body=$(cat)
	printf 'PUT /%s HTTP/1.0\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s' "$3" "$(cat "$CREDENTIALS/$1")" "${#body}" "$body" |
		nc -w 20 "${2%:*}" "${2##*:}" | grep -q '^HTTP/1.[01] 200'
}

input=$(get api "$API" work) || exit 1
sum=$(($(get bucket "$BUCKET" "$input" | tr '\n' '+')0)) || exit 1
printf '%s' "$sum" | put bucket "$BUCKET" result || exit 1
echo "the plugin added up $input: $sum"

for place in $OTHERS; do
	if answer=$(get bucket "$place" "?$sum" 2>&1); then
		echo "$place: REACHED"
	else
		echo "$place: $answer"
	fi
done

if [ -n "${RENEWED:-}" ]; then
	before=$(cat "$CREDENTIALS/api") tries=0
	echo "the plugin waits for its next credential"
	while [ "$(cat "$CREDENTIALS/api")" = "$before" ]; do
		[ "$tries" -lt 900 ] || exit 1
		tries=$((tries + 1))
		sleep 0.1
	done
	get api "$API" work > /dev/null || exit 1
	echo "the plugin works with its next credential"
fi
