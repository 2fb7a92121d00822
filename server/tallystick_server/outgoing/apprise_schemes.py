"""Which of Apprise's schemes a channel may use.

`FIXED` ones lead to one company's own servers; `HOSTED` ones to the host that the URL names, which is checked. Left out are those that
reach programs, files or devices of the machine (dbus, gnome, kde, macosx, windows, syslog, blink1), speak to a broker or a socket of
their own (amqp, mqtt, irc, xmpp, smpp, rsyslog, growl, nostr, deltachat), or want a key from a local file (fcm, vapid).
"""

from __future__ import annotations

FIXED = frozenset(
    """
    46elks acs africas_talking atalk awswhatsapp azure bale betterstack bluesky brevo bsky bulksms bulkvs
    burstsms chanify clickatell clicksend cliq cm d7sms dapnet dingtalk discord dot eight00com elks exotel
    feishu firehydrant flock freemobile gchat github groundmail groupme guilded gupshup httpsms ifttt ilert
    incidentio infobip instagram jira join kakao kakaotalk kaleyra kavenegar klr kook kudosity kumulos lark
    lauther lfg line mailersend mailgun mobilemessage mobilemsg msg91 msgbird nexmo notifiarr notifyapp notifyre
    o365 octopush onesignal opsgenie pagerduty pagertree pbul pingram plivo postmark pover prowl psafer psafers
    push pushed pushme pushplus pushward pushy qq reddit resend revolt ringc ryver schan sendgrid sendpulse
    serwersms ses seven sfr signalgrid signl4 simplepush sinch slack smsc smsmanager smsmgr smstunnel smtp2go
    sns sparkpost spike splunk spugpush spush squadcast stackfield strmlabs telesign telnyx tgram threema tweet
    twilio twist twitter viber victorops voipms vonage webex wechat wecom wecombot whapi whatsapp wpush wxpusher
    wxteams x youlmk zalo zcliq zohocliq zoom zulip
    """.split()  # noqa: SIM905 - a list to read
)
HOSTED = frozenset(
    """
    apprise apprises bark barks emby embys flowtriq flowtriqs fluxer fluxers form forms goalert goalerts gorush
    gorushs gotify gotifys hassio hassios humhub humhubs jellyfin jellyfins json jsons kodi kodis mailto mailtos
    mastodon mastodons matrix matrixs misskey misskeys mmost mmosts ncloud nclouds nctalk nctalks notica noticas
    notifico notificos ntfy ntfys onebot onebots opsimate opsimates parsep parseps pinglet pinglets pjet pjets
    pushdeer pushdeers rocket rockets signal signals smseagle smseagles synology synologys toot toots trigv
    trigvs workflow workflows xmatters xml xmls
    """.split()  # noqa: SIM905 - a list to read
)
# Options of a URL that name a file to read or attach, or that undo what is decided here.
REFUSED_OPTIONS = frozenset(
    "template attach attach-as keyfile pgppub pgpprv pgpkey pgp wkd redirect retry wait".split()  # noqa: SIM905 - as above
)


def refused_scheme(scheme: str) -> str | None:
    """Return why a scheme is not taken, None if it is."""
    if scheme in FIXED or scheme in HOSTED:
        return None
    if scheme in ("http", "https"):
        return "a web address is a channel of the kind webhook; Apprise's own schemes are such as slack://, mailtos://, discord://"
    return f"{scheme[:32]!a} is not among the services that are allowed; docs/channels.md says which are, and why"
