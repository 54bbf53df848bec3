"""What fills the gallery's views: a usual day, the longest that is realistic, and what nobody should write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.model import News
from bot.slack.views import IssueName, Link, NewsLine, Proof, TicketFacts, TicketName, Where

NOW = datetime(2026, 11, 18, 13, 20, tzinfo=UTC)
GITHUB = "https://github.example/acme/shop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Words that people and services decide. `many`: how many there are where there can be many."""

    title: str
    other_title: str
    label: str
    repository: str
    number: str
    helpdesk: str
    customers: tuple[str, ...]
    organisation: str
    plan: str
    subject: str
    said: str  # what the customer wrote
    language: str = "fr"
    agents: tuple[str, ...]
    support_dev: str
    project: str
    other_project: str
    version: str
    places: tuple[str, ...]
    reason: str  # for a decline, in the Support Dev's words
    question: str
    advice: str  # a way around the bug
    reply: str
    clause: str  # why a service refused, as it says it
    sentence: str  # the same as the bot says it
    files: tuple[str, ...]
    tags: tuple[str, ...]
    many: int
    waited: timedelta

    @property
    def issue(self) -> IssueName:
        return IssueName(title=self.title, label=self.label, url=f"{GITHUB}/issues/128")

    @property
    def other(self) -> IssueName:
        return IssueName(title=self.other_title, label=f"{self.repository}#97", url=f"{GITHUB}/issues/97")

    @property
    def ticket(self) -> TicketName:
        return self.ticket_at(0)

    def ticket_at(self, n: int) -> TicketName:
        number = str(int(self.number) + n) if self.number.isdecimal() else f"{self.number}{n}"
        return TicketName(number=number, url=f"https://acme.example/tickets/{4211 + n}", helpdesk=self.helpdesk)

    def facts(self, n: int = 0) -> TicketFacts:
        """The ticket of the customer at `n`."""
        return TicketFacts(
            ticket=self.ticket_at(n),
            subject=self.subject,
            customer=self.customers[n % len(self.customers)],
            organisation=self.organisation,
            plan=self.plan,
            language=self.language if n % 2 == 0 else "en",
            waited=self.waited + timedelta(hours=5 * n),
            words=self.said,
            attachments=self.files,
            tags=self.tags,
        )

    @property
    def environments(self) -> tuple[Where, ...]:
        since = NOW - timedelta(hours=2)
        return tuple(Where(name=one, url=f"{GITHUB}/deployments", since=since, environment=True) for one in self.places)

    @property
    def merged(self) -> Proof:
        return Proof(
            sha="3f2a91c0", sha_url=f"{GITHUB}/commit/3f2a91c0", pull=412, pull_url=f"{GITHUB}/pull/412",
        )  # fmt: skip

    @property
    def released(self) -> Proof:
        """With a copy and other fixes where there are many of everything."""
        others = tuple(Link(f"#{413 + n}", f"{GITHUB}/pull/{413 + n}") for n in range(self.many // 10))
        return Proof(
            sha="3f2a91c0", sha_url=f"{GITHUB}/commit/3f2a91c0", pull=412, pull_url=f"{GITHUB}/pull/412",
            version=self.version, version_url=f"{GITHUB}/releases/1", others=others,
            copy="88d1e07b" if others else "", copy_url=f"{GITHUB}/commit/88d1e07b",
        )  # fmt: skip

    @property
    def deployed(self) -> Proof:
        return Proof(
            sha="3f2a91c0", sha_url=f"{GITHUB}/commit/3f2a91c0", pull=412, pull_url=f"{GITHUB}/pull/412",
            places=self.environments,
        )  # fmt: skip

    def news(self, news: News = News.SHIPPED, proof: Proof | None = None, reason: str = "", **more: str) -> NewsLine:
        found = self.released if proof is None else proof
        return NewsLine(news=news, issue=self.issue, reason=reason, proof=found, **more)


ORDINARY = Contents(
    title="VAT keeps the old country’s rate when the delivery address changes",
    other_title="The cart forgets a voucher with an accent in it",
    label="acme/shop#128",
    repository="acme/shop",
    number="4211",
    helpdesk="Zendesk",
    customers=("Camille Roux", "Jonas Lindqvist", "Priya Nair"),
    organisation="Papeterie Nord",
    plan="Pro",
    subject="Le total garde l’ancien taux de TVA",
    said="Bonjour,\n\nDepuis lundi, quand je change l’adresse de livraison de la France vers la Belgique, le total du "
    "panier garde l’ancien taux de TVA. Mes clientes paient trop.\n\nCamille",
    agents=("Ana Moreau", "Ben Okafor"),
    support_dev="Léo Martin",
    project="Web shop",
    other_project="Shop app",
    version="v2.18.0",
    places=("production",),
    reason="Colours are free text in the shop, so there is nothing to sort by. We will not build it this year.",
    question="Does it happen with a fresh basket too, or only with one from before Monday?",
    advice="Empty the basket, set the delivery address first, then add the articles again.",
    reply="Bonjour Camille,\n\nle taux suit maintenant l’adresse de livraison.\n\nAna",
    clause="Zendesk did not answer within 10 seconds",
    sentence="GitHub refused the issue: issues are disabled in acme/shop. Ask whoever looks after it to turn them on.",
    files=("panier.png",),
    tags=("facturation",),
    many=3,
    waited=timedelta(hours=50),
)

_LONG = (
    "Since the migration of our accounts to the new organisation structure last Thursday, every order export that was "
    "scheduled before the change stops after exactly 1,000 rows. No error is shown, neither on screen nor in the "
    "e-mail that announces the file; our accountant found out because the sum of the month was off by a third. We "
    "tried three browsers, two accounts, and the programming interface directly, with the same end each time. "
)

LONGEST = Contents(
    title="Order exports that were scheduled before an organisation was migrated stop after 1,000 rows without an "
    "error, in the file and in the programming interface",
    other_title="Donaudampfschifffahrtsgesellschaftskapitänsmützenfarbauswahl is cut off in the wish list’s narrow "
    "column on phones in portrait mode",
    label="acme-international-retail/customer-facing-web-shop-frontend#128934",
    repository="acme-international-retail/customer-facing-web-shop-frontend",
    number="20261118004211",
    helpdesk="Customer Care Desk (Europe)",
    customers=(
        "Marie-Françoise de La Rochefoucauld-Liancourt",
        "Wolfeschlegelsteinhausenbergerdorff, Hubert Blaine",
        "Uvuvwevwevwe Onyetenyevwe Ugwemubwem Ossas",
        "María de los Ángeles Fernández-Cavada y Ruiz de Arbulo",
    ),
    organisation="Chambre de commerce et d’industrie territoriale de Seine-et-Marne et du Val-d’Oise",
    plan="Enterprise Plus, on premises, with the extended support of the year 2024",
    subject="AW: AW: RE: [extern] URGENT: export des commandes incomplet depuis la migration de jeudi dernier",
    said=_LONG * 6,
    language="sr-Latn-BA",
    agents=tuple(f"Anastasia Papadopoulou-Konstantinidou {n}" for n in range(1, 13)),
    support_dev="Jean-Sébastien Vandenbroucke-Grootaers",
    project="Customer-facing web shop, Europe, the Middle East and Africa",
    other_project="Warehouse scanners and labels (second generation)",
    version="customer-facing-web-shop-frontend-2026.11.18-hotfix.2+build.4211",
    places=tuple(f"production-eu-west-{n}-{colour}" for n in (1, 2, 3) for colour in ("blue", "green")),
    reason=_LONG * 3,
    question=_LONG * 2,
    advice=_LONG * 3,
    reply=_LONG * 7,
    clause="the ticket was merged into another one that is closed, and closed tickets take no more comments; its "
    "follow-up belongs to a group that this account is no member of",
    sentence="GitLab refused the issue because the project’s plan allows no confidential issues for members below the "
    "role of reporter. Ask a maintainer of the project to raise the bot’s role, then press Try again.",
    files=tuple(f"Bildschirmfoto 2026-11-{n:02} um 09.41.{n:02} (Kopie) final.png" for n in range(1, 13)),
    tags=tuple(f"contract-renewal-at-risk-{n}" for n in range(1, 13)),
    many=50,
    waited=timedelta(days=187),
)

_BAD = "<!channel> <@U0ANA> *bold* _it_ `code` <https://evil.example|your bank> &amp; \u202egnp.exe\u202c "

HOSTILE = Contents(
    title=f"{_BAD}{{name}} %s",
    other_title="\u2067שלום\u2069 \u202eالقسيمة لا تعمل\u202c " + "👩‍👩‍👧‍👦" * 30,
    label=f"{_BAD}#1",
    repository=_BAD,
    number=f"{_BAD}1",
    helpdesk=_BAD,
    customers=(f"<!here> {_BAD}", "", "\u202eلا\u202c", "a" * 3_000),
    organisation=_BAD * 30,
    plan="\x00\x1b[31m\u2028x",
    subject=_BAD * 30,
    said=(_BAD * 60)[:3_000],
    language="<!channel>",
    agents=(_BAD * 3, "", "&" * 300),
    support_dev=_BAD * 3,
    project="&<>" * 100,
    other_project=_BAD,
    version=_BAD,
    places=(_BAD, "\u202e", "<@U0LEO>"),
    reason=(_BAD * 60)[:3_000],
    question=(_BAD * 60)[:3_000],
    advice="👩‍👩‍👧‍👦" * 300,
    reply="&<>" * 1_000,
    clause=_BAD * 40,
    sentence="a" * 3_000,
    files=("../../<!channel>.png", "\u202egnp.exe", "") * 10,
    tags=("<@U0ANA>", "*x*") * 10,
    many=50,
    waited=timedelta(days=-1),
)

CONTENTS = {"ordinary": ORDINARY, "longest": LONGEST, "hostile": HOSTILE}
