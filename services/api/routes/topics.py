"""The topics and what they mean: read by anybody, defined by the operator."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from services.api.answers import TopicChange, TopicDefined, Topics
from services.api.deps import Json, Operator, Rt
from services.api.described import told
from services.api.errors import Malformed, UnsupportedMediaType
from services.api.schemas import TopicIn
from services.errors import BadInput, Forbidden, NotFound, QueryError, TooLarge, Unauthorized
from services.manage import topics

router = APIRouter(tags=["topics"])
Slug = Annotated[str, Path(max_length=100, description="A topic of the first level, such as `funding`.")]


@router.get("/v1/topics", response_model=Topics, responses=told())
def list_topics(rt: Rt) -> Any:
    """The topics with their labels and the queries by which they are assigned."""
    return {"items": topics.listed(rt)}


@router.put(
    "/v1/topics/{topic}",
    response_model=TopicChange,
    dependencies=[Json],
    responses=told(
        Malformed, TooLarge, UnsupportedMediaType, BadInput, QueryError, Unauthorized, Forbidden, NotFound
    ),
)
def define_topic(
    rt: Rt,
    _: Operator,
    topic: Slug,
    wanted: TopicIn,
    preview: Annotated[bool, Query(description="Only tell what would change.")] = False,
) -> Any:
    """Define a topic by a query from now on, and tell what it changes; with `preview`, only tell."""
    change = topics.preview(rt, topic, wanted.query)
    if not preview:
        topics.define(rt, topic, wanted.query)
    return change


@router.get("/v1/topics/{topic}", response_model=TopicDefined, responses=told(BadInput, NotFound))
def show_topic(rt: Rt, topic: Slug) -> Any:
    """One topic."""
    return topics.show(rt, topic)
